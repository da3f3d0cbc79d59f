// What programs do with people over time and set up in an org, with @okta/okta-sdk-nodejs: each export is a section.

import { createHmac } from 'node:crypto';

import { all, claim, claimEqual } from './claims.mjs';
import { advance } from './dtu_control.mjs';
import { claimRefused, client, newUser, withPassword } from './okta_sdk.mjs';

const BOT = '00dtu-acme-access-bot-token-not-a-real-secret';
const ORG = process.env.OKTA_CLIENT_ORGURL.replace(/\/$/, '');

const okta = client();

/** The code that an authenticator app shows now (RFC 6238). */
function oneTimeCode(secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', key).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

const names = async (userId) =>
  (await all(await okta.userApi.listUserGroups({ userId }))).map((group) => group.profile.name);

export async function leadJoinerMoverAndLeaver() {
  const { userApi, groupApi, applicationApi, userFactorApi, schemaApi, systemLogApi } = okta;
  const berth = { title: 'Berth', type: 'string', maxLength: 20 };
  const schema = await schemaApi.updateUserProfile({
    schemaId: 'default',
    userSchema: { definitions: { custom: { id: '#custom', type: 'object', properties: { berth } } } },
  });
  claimEqual(schema.definitions.custom.properties.berth.maxLength, 20, 'an attribute of its own is added');

  const groups = {};
  for (const name of ['North', 'South']) {
    groups[name] = (await groupApi.createGroup({ group: { profile: { name: `pier-${name}` } } })).id;
    const rule = await groupApi.createGroupRule({
      groupRule: {
        type: 'group_rule',
        name: `Pier ${name}`,
        conditions: { expression: { type: 'urn:okta:expression:1.0', value: `user.berth=="${name}"` } },
        actions: { assignUserToGroups: { groupIds: [groups[name]] } },
      },
    });
    claimEqual(rule.status, 'INACTIVE', 'a rule is made inactive');
    await groupApi.activateGroupRule({ ruleId: rule.id });
  }
  const app = await applicationApi.createApplication({
    application: {
      name: 'bookmark',
      label: 'Tide tables',
      signOnMode: 'BOOKMARK',
      settings: { app: { requestIntegration: false, url: 'https://tides.example' } },
    },
  });
  claimEqual([app.constructor.name, app.status], ['BookmarkApplication', 'ACTIVE'], 'an app is of its kind');
  const appId = app.id;
  await applicationApi.assignGroupToApplication({ appId, groupId: groups.North });

  const { id: userId, created } = await userApi.createUser({
    body: withPassword(newUser('Tove', 'Lind', { berth: 'North' })),
  });
  await advance('5s');
  claim((await names(userId)).includes('pier-North'), 'the rule puts the joiner into the group');
  const account = await applicationApi.getApplicationUser({ appId, userId });
  claimEqual([account.scope, account.status], ['GROUP', 'ACTIVE'], 'which brings the app');
  const tiles = async () => (await all(await userApi.listAppLinks({ userId }))).map((link) => link.label);
  claimEqual(await tiles(), ['Tide tables'], 'and its tile');

  const factor = await userFactorApi.enrollFactor({
    userId,
    body: { factorType: 'token:software:totp', provider: 'GOOGLE' },
  });
  claimEqual(factor.status, 'PENDING_ACTIVATION', 'a factor is enrolled');
  const factorId = factor.id;
  const activate = (passCode) => userFactorApi.activateFactor({ userId, factorId, body: { passCode } });
  await claimRefused(403, 'E0000068', activate('000000'));
  const active = await activate(oneTimeCode(factor._embedded.activation.sharedSecret));
  claimEqual(active.status, 'ACTIVE', 'with its code it is active');
  const factors = await all(await userFactorApi.listFactors({ userId }));
  claimEqual(
    factors.map((one) => [one.id, one.status]),
    [[factorId, 'ACTIVE']],
    'and listed',
  );

  await userApi.updateUser({ userId, user: { profile: { berth: 'South' } } });
  await advance('5s');
  const moved = await names(userId);
  claim(moved.includes('pier-South') && !moved.includes('pier-North'), `the mover is moved by the rules: ${moved}`);
  await claimRefused(404, 'E0000007', applicationApi.getApplicationUser({ appId, userId }));

  await userApi.deactivateUser({ userId });
  claimEqual(await tiles(), [], 'the leaver has no app');
  const log = await all(
    await systemLogApi.listLogEvents({
      since: created.toISOString(),
      until: new Date(Date.now() + 120_000).toISOString(),
      filter: `target.id eq "${userId}" and outcome.result eq "SUCCESS"`,
      limit: 3,
    }),
  );
  const wanted = ['user.lifecycle.create', 'user.mfa.factor.activate', 'user.lifecycle.deactivate'];
  claimEqual(
    log.map((event) => event.eventType).filter((type) => wanted.includes(type)),
    wanted,
    'the log tells it all, over its pages',
  );
}

export async function keepAdministratorsToTheirRoles() {
  const { userApi, groupApi, roleAssignmentApi, customRoleApi, resourceSetApi } = okta;
  const bot = client({ token: BOT });
  const owner = await userApi.getUser({ userId: 'access.botservice@acme.example' });
  const userId = owner.id;
  const roles = await all(await roleAssignmentApi.listAssignedRolesForUser({ userId }));
  const take = ({ id }) => roleAssignmentApi.unassignRoleFromUser({ userId, roleId: id });
  for (const role of roles) await take(role);
  const give = (assignRoleRequest) => roleAssignmentApi.assignRoleToUser({ userId, assignRoleRequest });
  const help = await give({ type: 'HELP_DESK_ADMIN' });
  claimEqual([help.type, help.status], ['HELP_DESK_ADMIN', 'ACTIVE'], 'a role is given');
  await claimRefused(400, 'E0000003', give({ type: 'NO_SUCH_ROLE' }));
  const lena = await bot.userApi.getUser({ userId: 'lena.fischer@acme.example' });
  const refused = await claimRefused(403, 'E0000006', bot.userApi.deactivateUser({ userId: lena.id }));
  claimEqual(
    refused.errorSummary,
    'You do not have permission to perform the requested action',
    'the help desk may not do that',
  );
  const group = { profile: { name: 'not-made' } };
  await claimRefused(403, 'E0000006', bot.groupApi.createGroup({ group }));
  await take(help);

  const { id: groupId } = await groupApi.createGroup({ group: { profile: { name: 'own-keepers' } } });
  const role = await customRoleApi.createRole({
    instance: {
      label: 'Keeper',
      description: 'Keeps members',
      permissions: ['okta.groups.members.manage', 'okta.groups.read'],
    },
  });
  const set = await resourceSetApi.createResourceSet({
    instance: { label: 'Own group', description: 'One group', resources: [`${ORG}/api/v1/groups/${groupId}`] },
  });
  const custom = await give({ type: 'CUSTOM', role: role.id, resource_set: set.id });
  claimEqual(custom.type, 'CUSTOM', 'a role of its own is given');
  await claimRefused(403, 'E0000006', bot.groupApi.deleteGroup({ groupId }));
  claimEqual((await bot.groupApi.getGroup({ groupId })).id, groupId, 'it is good for its resources');
  await take(custom);
  for (const { type } of roles) await give({ type });
}

export async function setPolicies() {
  const { policyApi, groupApi, userApi } = okta;
  const { id: groupId } = await groupApi.createGroup({ group: { profile: { name: 'slow-typists' } } });
  const policy = await policyApi.createPolicy({
    policy: {
      type: 'PASSWORD',
      name: 'Slow',
      conditions: { people: { groups: { include: [groupId] } }, authProvider: { provider: 'OKTA' } },
      settings: { password: { complexity: { minLength: 24 } } },
    },
  });
  claimEqual([policy.constructor.name, policy.status], ['PasswordPolicy', 'ACTIVE'], 'a policy is of its kind');
  const policyId = policy.id;
  const access = (word) => ({ access: word });
  const rule = (name, more) => ({
    type: 'PASSWORD',
    name,
    actions: {
      passwordChange: access('ALLOW'),
      selfServicePasswordReset: access('DENY'),
      selfServiceUnlock: access('DENY'),
    },
    ...more,
  });
  await policyApi.createPolicyRule({ policyId, policyRule: rule('First') });
  const second = await policyApi.createPolicyRule({ policyId, policyRule: rule('Second') });
  claimEqual([second.constructor.name, second.priority], ['PasswordPolicyRule', 2], 'rules have priorities');
  await policyApi.replacePolicyRule({ policyId, ruleId: second.id, policyRule: rule('Second', { priority: 1 }) });
  const order = await all(await policyApi.listPolicyRules({ policyId }));
  claimEqual(
    order.map((one) => [one.name, one.priority]),
    [
      ['Second', 1],
      ['First', 2],
    ],
    'which others make way for',
  );
  const user = await userApi.createUser({ body: withPassword(newUser('Sven', 'Slow')) });
  await groupApi.assignUserToGroup({ groupId, userId: user.id });
  const weak = { credentials: { password: { value: 'Only-17-characters' } } };
  const refused = await claimRefused(400, 'E0000001', userApi.updateUser({ userId: user.id, user: weak }));
  claim(refused.errorCauses[0].errorSummary.includes('at least 24 characters'), 'the policy holds for its group');
  for (const type of ['OKTA_SIGN_ON', 'MFA_ENROLL', 'ACCESS_POLICY', 'PROFILE_ENROLLMENT']) {
    const kinds = await all(await policyApi.listPolicies({ type }));
    claim(kinds.length > 0 && kinds.every((one) => one.type === type), `policies of ${type} are read`);
  }
  await policyApi.deletePolicy({ policyId });
  await claimRefused(404, 'E0000007', policyApi.getPolicy({ policyId }));
}

export async function mintTokensByAServerOfOnesOwn() {
  const { applicationApi, authorizationServerApi } = okta;
  const app = await applicationApi.createApplication({
    application: {
      name: 'oidc_client',
      label: 'Stock worker',
      signOnMode: 'OPENID_CONNECT',
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic' } },
      settings: {
        oauthClient: { application_type: 'service', grant_types: ['client_credentials'], response_types: ['token'] },
      },
    },
  });
  const { client_id: clientId, client_secret: secret } = app.credentials.oauthClient;
  claim(clientId && secret, 'a service app has an id and a secret');
  const { id: authServerId } = await authorizationServerApi.createAuthorizationServer({
    authorizationServer: { name: 'Stock', description: 'Stock API', audiences: ['api://stock'] },
  });
  const scope = await authorizationServerApi.createOAuth2Scope({ authServerId, oAuth2Scope: { name: 'stock.read' } });
  claimEqual([scope.name, scope.system], ['stock.read', false], 'a scope is made');
  await authorizationServerApi.createOAuth2Claim({
    authServerId,
    oAuth2Claim: { name: 'hall', claimType: 'RESOURCE', valueType: 'EXPRESSION', value: '"seven"', status: 'ACTIVE' },
  });
  const token = async () => {
    const response = await fetch(`${ORG}/oauth2/${authServerId}/v1/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${clientId}:${secret}`)}`, Accept: 'application/json' },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'stock.read' }),
    });
    return response.json();
  };
  claimEqual((await token()).error, 'access_denied', 'without a policy there is no token');
  const policy = await authorizationServerApi.createAuthorizationServerPolicy({
    authServerId,
    policy: {
      type: 'OAUTH_AUTHORIZATION_POLICY',
      name: 'Workers',
      description: 'Workers',
      priority: 1,
      conditions: { clients: { include: [clientId] } },
    },
  });
  const rule = await authorizationServerApi.createAuthorizationServerPolicyRule({
    authServerId,
    policyId: policy.id,
    policyRule: {
      type: 'RESOURCE_ACCESS',
      name: 'Workers',
      priority: 1,
      conditions: {
        people: { groups: { include: ['EVERYONE'] } },
        grantTypes: { include: ['client_credentials'] },
        scopes: { include: ['*'] },
      },
      actions: { token: { accessTokenLifetimeMinutes: 15 } },
    },
  });
  claimEqual(rule.actions.token.accessTokenLifetimeMinutes, 15, 'a rule says how long tokens last');
  const given = await token();
  claimEqual([given.expires_in, given.scope], [900, 'stock.read'], 'a token is given');
  const said = JSON.parse(Buffer.from(given.access_token.split('.')[1], 'base64url'));
  claimEqual([said.aud, said.hall, said.scp], ['api://stock', 'seven', ['stock.read']], 'which says what was set');
  await authorizationServerApi.deactivateAuthorizationServer({ authServerId });
  await authorizationServerApi.deleteAuthorizationServer({ authServerId });
  await claimRefused(404, 'E0000007', authorizationServerApi.getAuthorizationServer({ authServerId }));
}

export async function setUpTheOrg() {
  const { networkZoneApi, trustedOriginApi, identityProviderApi, inlineHookApi } = okta;
  const zone = await networkZoneApi.createNetworkZone({
    zone: { type: 'IP', name: 'Harbour office', gateways: [{ type: 'CIDR', value: '198.51.100.0/24' }] },
  });
  claimEqual([zone.constructor.name, zone.usage], ['IPNetworkZone', 'POLICY'], 'a zone is of its kind');
  await networkZoneApi.deactivateNetworkZone({ zoneId: zone.id });
  await networkZoneApi.deleteNetworkZone({ zoneId: zone.id });
  await claimRefused(404, 'E0000007', networkZoneApi.getNetworkZone({ zoneId: zone.id }));

  const trustedOrigin = { name: 'Desk', origin: 'https://desk.example', scopes: [{ type: 'CORS' }] };
  const origin = await trustedOriginApi.createTrustedOrigin({ trustedOrigin });
  claimEqual([origin.status, origin.scopes[0].type], ['ACTIVE', 'CORS'], 'an origin is trusted');
  await trustedOriginApi.deleteTrustedOrigin({ trustedOriginId: origin.id });

  const idp = await identityProviderApi.createIdentityProvider({
    identityProvider: {
      type: 'GOOGLE',
      name: 'Google',
      protocol: {
        type: 'OIDC',
        scopes: ['profile', 'email', 'openid'],
        credentials: { client: { client_id: 'acme', client_secret: 'not-a-real-secret' } },
      },
      policy: {
        accountLink: { filter: null, action: 'AUTO' },
        provisioning: { action: 'AUTO', profileMaster: true, groups: { action: 'NONE' } },
        subject: { userNameTemplate: { template: 'idpuser.email' }, filter: null, matchType: 'USERNAME' },
        maxClockSkew: 0,
      },
    },
  });
  claimEqual([idp.type, idp.status, idp.created instanceof Date], ['GOOGLE', 'ACTIVE', true], 'a provider is made');
  const off = await identityProviderApi.deactivateIdentityProvider({ idpId: idp.id });
  claimEqual(off.status, 'INACTIVE', 'and switched off');
  await identityProviderApi.deleteIdentityProvider({ idpId: idp.id });

  const hook = await inlineHookApi.createInlineHook({
    inlineHook: {
      name: 'Stock notes',
      type: 'com.okta.oauth2.tokens.transform',
      version: '1.0.0',
      channel: {
        type: 'HTTP',
        version: '1.0.0',
        config: {
          uri: 'https://hooks.example/token',
          method: 'POST',
          headers: [],
          authScheme: { type: 'HEADER', key: 'Authorization', value: 'not-a-real-secret' },
        },
      },
    },
  });
  claimEqual([hook.status, hook.channel.config.uri], ['ACTIVE', 'https://hooks.example/token'], 'a hook is made');
  claim(!hook.channel.config.authScheme.value, 'its secret is not told');
  await inlineHookApi.deactivateInlineHook({ inlineHookId: hook.id });
  await inlineHookApi.deleteInlineHook({ inlineHookId: hook.id });
  await claimRefused(404, 'E0000007', inlineHookApi.getInlineHook({ inlineHookId: hook.id }));
}

export async function linkPeopleOfSeveralKinds() {
  const { userApi, userTypeApi, linkedObjectApi } = okta;
  const kind = await userTypeApi.createUserType({ userType: { name: 'pilot', displayName: 'Pilot' } });
  claimEqual([kind.name, kind._default], ['pilot', false], 'a type is made');
  const body = { ...newUser('Pia', 'Lot'), type: { id: kind.id } };
  const pilot = await userApi.createUser({ body, activate: false });
  claimEqual(pilot.type.id, kind.id, 'somebody is of it');
  const side = (name) => ({ name, title: name, description: name, type: 'USER' });
  const made = await linkedObjectApi.createLinkedObjectDefinition({
    linkedObject: { primary: side('captain'), associated: side('crew') },
  });
  claimEqual([made.primary.name, made.associated.name], ['captain', 'crew'], 'a relation is defined');
  const lena = await userApi.getUser({ userId: 'lena.fischer@acme.example' });
  const primary = { associatedUserId: pilot.id, primaryRelationshipName: 'captain', primaryUserId: lena.id };
  await userApi.setLinkedObjectForUser(primary);
  const linked = async (userId, relationshipName) => {
    const found = await all(await userApi.listLinkedObjectsForUser({ userId, relationshipName }));
    return found.map((one) => one._links.self.href.split('/').at(-1));
  };
  claimEqual(await linked(pilot.id, 'captain'), [lena.id], 'one has a captain');
  claimEqual(await linked(lena.id, 'crew'), [pilot.id], 'who has a crew');
  await linkedObjectApi.deleteLinkedObjectDefinition({ linkedObjectName: 'captain' });
  await userApi.deactivateUser({ userId: pilot.id });
  await userApi.deleteUser({ userId: pilot.id });
  await userTypeApi.deleteUserType({ typeId: kind.id });
}
