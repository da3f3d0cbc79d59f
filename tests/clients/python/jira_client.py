"""jira, the Python library of pycontribs, unmodified, against Jira's twin.

The library speaks version 2 of the API, which is served by the same operations as version 3.
"""

import logging
import os

from jira import JIRA, JIRAError

from claims import claim, claim_equal, run
from dtu_control import act, fault

# The library logs each refused call; here they are wanted.
logging.getLogger("jira").setLevel(logging.CRITICAL)
logging.getLogger().setLevel(logging.CRITICAL)

EMAIL = os.environ["JIRA_EMAIL"]


def client(token=None, url=os.environ["JIRA_URL"], **more):
    """A client of the environment's account, which tries each call once."""
    pair = (EMAIL, token or os.environ["JIRA_API_TOKEN"])
    return JIRA(url, **{"basic_auth": pair, "max_retries": 0, **more})


def failure(call, *args, **kwargs):
    """Why a call fails; it must."""
    try:
        call(*args, **kwargs)
    except JIRAError as error:
        return error
    raise AssertionError("the call fails")


def claim_refused(status, text, call, *args, **kwargs):
    """Says that a call is refused with a status and in these words."""
    error = failure(call, *args, **kwargs)
    claim_equal((error.status_code, error.text), (status, text), "the refusal")
    return error


def new_project(jira, key, name):
    """A project with schemes of the caller's choice: the site has none to choose from."""
    return jira.create_project(key, name, permissionScheme=10000, issueSecurityScheme=10000)


def know_the_site():
    jira = client()
    claim(jira._is_cloud, "the library takes the site for Jira Cloud")
    claim_equal(jira._version, (1001, 0, 0), "of Cloud's version")
    claim_equal(jira.server_info()["baseUrl"], os.environ["JIRA_URL"], "which links back to the twin")
    me = jira.myself()
    claim_equal((me["emailAddress"], me["accountType"], me["active"]), (EMAIL, "atlassian", True), "the owner")
    claim_equal(jira.current_user(), me["accountId"], "is known by account id")
    slash = client(url=os.environ["JIRA_URL"] + "/")
    claim_equal(slash.myself()["accountId"], me["accountId"], "an address that ends in a slash works as well")
    third = client(options={"rest_api_version": "3"})
    claim_equal(third.myself(), me, "version 3 shows the same person")


def find_people():
    jira = client()
    found = jira.search_users(query="lena")
    claim_equal([user.displayName for user in found], ["Lena Fischer"], "a person is found by first name")
    lena = jira.user(found[0].accountId)
    claim_equal(lena.emailAddress, "lena.fischer@acme.example", "a person is found by account id")
    claim(lena.groups.size > 0 and not lena.groups.items, "groups are counted")
    whole = jira.user(lena.accountId, expand="groups")
    claim_equal(len(whole.raw["groups"]["items"]), lena.groups.size, "and shown where they are asked for")
    claim_equal(len(jira.search_users(query="a", maxResults=2)), 2, "no more are shown than asked for")
    claim_equal(list(jira.search_users(query="marcus")), [], "people who left are not found")
    strict = "The query parameter 'username' is not supported in GDPR strict mode."
    claim_refused(400, strict, jira.search_users, "dana")
    gone = "Specified user does not exist or you do not have required permissions"
    claim_refused(404, gone, jira.user, "nobody")
    act("sam", "jira.admin.deactivate_user", user="omar.haddad@acme.example")
    claim_equal(list(jira.search_users(query="omar")), [], "what an administrator does is seen at once")


def keep_a_project():
    jira = client()
    number = new_project(jira, "WEB", "Web shop")["id"]
    project = jira.project("WEB")
    claim_equal((project.key, project.name), ("WEB", "Web shop"), "a project is found by key")
    claim_equal(project.id, str(number), "its id is a text where it is read")
    claim("WEB" in [project.key for project in jira.projects()], "it is listed")
    twice = failure(new_project, jira, "WEB", "Another")
    claim_equal(twice.status_code, 400, "a key is taken once")
    claim("already exists" in twice.text, f"which is told: {twice.text}")

    component = jira.create_component("Checkout", "WEB", description="Paying")
    found = jira.component(component.id)
    claim_equal((found.name, found.description), ("Checkout", "Paying"), "a component is kept")
    found.update(name="Till")
    claim_equal(jira.component(component.id).name, "Till", "and changed")
    found.delete()
    claim_equal(failure(jira.component, component.id).status_code, 404, "and deleted")

    version = jira.create_version("1.0", "WEB", description="The first", releaseDate="2026-04-01")
    found = jira.version(version.id)
    claim_equal((found.name, found.releaseDate, found.released), ("1.0", "2026-04-01", False), "a version is kept")
    found.update(released=True)
    claim_equal(jira.version(version.id).released, True, "and released")

    mine = jira.create_filter("Mine", description="All of it", jql="project = WEB", favourite=True)
    found = jira.filter(mine.id)
    claim_equal((found.name, found.jql, found.favourite), ("Mine", "project = WEB", True), "a filter is kept")
    jira.update_filter(mine.id, name="Ours")
    claim_equal(jira.filter(mine.id).name, "Ours", "and changed")

    jira.delete_project("WEB")
    claim_refused(404, "No project could be found with key 'WEB'.", jira.project, "WEB")


def be_refused():
    jira = client()
    claim_refused(404, "No project could be found with key 'NOPE'.", jira.project, "NOPE")
    hidden = "Issue does not exist or you do not have permission to see it."
    claim_refused(404, hidden, jira.issue, "NOPE-1")
    error = failure(jira.search_issues, "project = WEB")
    claim_equal(error.status_code, 501, "searching by JQL is not served yet, and says so")

    line = "Client must be authenticated to access this resource."
    stranger = client(token="not-a-real-token")
    claim_equal(stranger.server_info()["deploymentType"], "Cloud", "the site shows itself to strangers")
    error = claim_refused(401, line, stranger.myself)
    claim_equal(error.response.headers["x-seraph-loginreason"], "AUTHENTICATED_FAILED", "and says why")
    claim_equal(stranger.projects(), [], "strangers see no projects")
    claim_equal(list(stranger.search_users(query="dana")), [], "and nobody")
    bearer = failure(client, basic_auth=None, token_auth="not-a-jwt")
    claim_equal(bearer.status_code, 403, "a bearer that is no JWT is refused everywhere")
    claim("Failed to parse Connect Session Auth Token" in bearer.response.text, "in the gateway's words")


def wait_when_told():
    on = {"twin": "jira", "operation": "getCurrentUser"}
    with fault({"rate_limited": {"retry_after": "1s"}}, **on) as rule:
        me = client(max_retries=2).myself()
        claim_equal((me["emailAddress"], rule.fired()), (EMAIL, 1), "the library waits and tries again")
    hasty = client()
    with fault({"rate_limited": {"retry_after": "30s"}}, **on):
        error = failure(hasty.myself)
        claim_equal((error.status_code, error.response.headers["retry-after"]), (429, "30"), "it is told how long")
        claim_equal(error.response.headers["ratelimit-reason"], "jira-burst-based", "and why")
    with fault({"error": {"status": 500}}, **on):
        claim_refused(500, "Internal server error", hasty.myself)
    with fault({"revoked": {}}, **on):
        claim_equal(failure(hasty.myself).status_code, 401, "a token is revoked")


run(
    know_the_site,
    find_people,
    keep_a_project,
    be_refused,
    wait_when_told,
)
