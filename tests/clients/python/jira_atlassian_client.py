"""atlassian-python-api, unmodified, against Jira's twin."""

import logging
import os

from atlassian import Jira
from requests.exceptions import HTTPError

from claims import claim, claim_equal, run

# The library logs each refused call; here they are wanted.
logging.getLogger("atlassian").setLevel(logging.CRITICAL)

EMAIL = os.environ["JIRA_EMAIL"]


def client(token=None):
    """A client of the environment's account."""
    password = token or os.environ["JIRA_API_TOKEN"]
    return Jira(url=os.environ["JIRA_URL"], username=EMAIL, password=password, cloud=True)


def claim_refused(status, text, call, *args, **kwargs):
    """Says that a call is refused with a status and in words that hold these."""
    try:
        call(*args, **kwargs)
    except HTTPError as error:
        claim_equal(error.response.status_code, status, f"the status: {error}")
        claim(text in str(error), f"the words: {error}")
        return
    raise AssertionError("the call fails")


def find_people():
    jira = client()
    me = jira.myself()
    claim_equal((me["emailAddress"], me["active"]), (EMAIL, True), "the owner")
    claim_equal(jira.get_server_info()["deploymentType"], "Cloud", "the site is Jira Cloud")
    lena = jira.user_find_by_user_string(query="lena.fischer")[0]
    claim_equal(lena["displayName"], "Lena Fischer", "a person is found by mail address")
    claim_equal(jira.user(account_id=lena["accountId"])["accountId"], lena["accountId"], "and by account id")
    everybody = {person["accountId"] for person in jira.users_get_all(limit=1000)}
    claim({me["accountId"], lena["accountId"]} <= everybody, "and listed")
    claim_refused(404, "Specified user does not exist", jira.user, account_id="nobody")


def keep_a_project():
    jira = client()
    lead = jira.myself()["accountId"]
    wanted = {"key": "OPS", "name": "Operations", "projectTypeKey": "business", "leadAccountId": lead}
    made = jira.create_project_from_raw_json(wanted)
    claim_equal(made["key"], "OPS", "a project is made")
    claim_equal(jira.project("OPS")["name"], "Operations", "it is found by key")
    claim_equal(jira.project(str(made["id"]))["key"], "OPS", "and by id")
    claim("OPS" in [project["key"] for project in jira.projects()], "it is listed")
    component = jira.create_component({"name": "Racks", "project": "OPS"})
    claim_equal(jira.component(component["id"])["name"], "Racks", "a component is kept")
    jira.delete_project("OPS")
    claim_refused(404, "No project could be found with key 'OPS'.", jira.project, "OPS")


def be_refused():
    claim_refused(404, "Issue does not exist", client().issue, "NOPE-1")
    stranger = client("not-a-real-token")
    claim_refused(401, "Unauthorized", stranger.myself)
    claim_equal(stranger.projects(), [], "strangers see no projects")


run(find_people, keep_a_project, be_refused)
