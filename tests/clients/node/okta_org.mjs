// What the sign-in scripts need of an org: apps and people by the administration API, and a browser.

const { OKTA_CLIENT_ORGURL: org, OKTA_CLIENT_TOKEN: token } = process.env;

export const ORG = org.replace(/\/$/, '');

/** A call of the administration API. */
export async function admin(method, path, body) {
  const response = await fetch(`${ORG}${path}`, {
    method,
    headers: { Authorization: `SSWS ${token}`, Accept: 'application/json', 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

export const REDIRECT = 'https://app.example/callback';
export const GOODBYE = 'https://app.example/bye';

/** Makes an app that is an OAuth client; gives its ids and its secret. */
export async function newClient(label, settings, credentials = {}) {
  const app = await admin('POST', '/api/v1/apps', {
    name: 'oidc_client',
    label,
    signOnMode: 'OPENID_CONNECT',
    credentials: { oauthClient: credentials },
    settings: { oauthClient: settings },
  });
  const { client_id: id, client_secret: secret } = app.credentials.oauthClient;
  return { app: app.id, id, secret };
}

/** A web app that signs people in, and renews its tokens. */
export const newWebClient = (label, more = {}, credentials = {}) =>
  newClient(
    label,
    {
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [REDIRECT],
      post_logout_redirect_uris: [GOODBYE],
      ...more,
    },
    credentials,
  );

export const PASSWORD = 'Not-a-real-passw0rd';

/** Makes somebody who may use an app. */
export async function newPerson(first, last, app) {
  const login = `${first}.${last}@acme.example`.toLowerCase();
  const user = await admin('POST', '/api/v1/users?activate=true', {
    profile: { firstName: first, lastName: last, email: login, login },
    credentials: { password: { value: PASSWORD } },
  });
  if (app) await admin('POST', `/api/v1/apps/${app}/users`, { id: user.id });
  return { id: user.id, login };
}

const input = /<input[^>]*>/g;
const attribute = (tag, name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1];
const plain = (text) =>
  text?.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** A browser that keeps its cookies, fills forms in, and stops at addresses outside of the org. */
export class Browser {
  #cookies = new Map();
  page = '';

  /** Opens an address; gives the address outside of the org at which it ends, if at one. */
  async open(address, form) {
    let next = new URL(address, ORG);
    let body = form;
    for (let hops = 0; hops < 10; hops += 1) {
      if (next.origin !== new URL(ORG).origin) return next;
      const response = await fetch(next, {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { Cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        body: body && new URLSearchParams(body),
      });
      this.#keep(response.headers.getSetCookie());
      const location = response.headers.get('location');
      if (!location) {
        this.page = await response.text();
        this.status = response.status;
        return undefined;
      }
      next = new URL(location, next);
      body = undefined;
    }
    throw new Error('the browser is sent on for ever');
  }

  /** Sends the page's form with some fields filled in. */
  async submit(fields) {
    const form = this.page.match(/<form[^>]*>/)?.[0];
    if (!form) throw new Error(`there is no form: ${this.page}`);
    const tags = this.page.match(input) ?? [];
    const kept = tags.map((tag) => [attribute(tag, 'name'), plain(attribute(tag, 'value')) ?? '']);
    return this.open(plain(attribute(form, 'action')), { ...Object.fromEntries(kept), ...fields });
  }

  /** Signs somebody in on the page that is open. */
  signIn(login, password = PASSWORD) {
    return this.submit({ username: login, password });
  }

  /** Whether it has a cookie that says something. */
  has(cookie) {
    return Boolean(this.#cookies.get(cookie));
  }

  #keep(lines) {
    for (const line of lines) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      const value = pair.slice(at + 1).replaceAll('"', '');
      if (value) this.#cookies.set(pair.slice(0, at), value);
      else this.#cookies.delete(pair.slice(0, at));
    }
  }
}
