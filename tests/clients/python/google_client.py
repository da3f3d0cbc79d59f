"""google-api-python-client, unmodified, against Google's twins, with the discovery documents that it brings along.

`api_endpoint` takes the place of the whole service address, so that for Drive it ends in the API's path.
"""

import json
import os

import httplib2
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from claims import claim, claim_equal, run
from dtu_control import act, fault

KEY_FILE = os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
with open(KEY_FILE, encoding="utf-8") as file:
    ORIGIN = json.load(file)["token_uri"].removesuffix("/token")
AUTH = "https://www.googleapis.com/auth/"
LENA = "lena.fischer@acme.example"
ADDRESSES = {
    "drive": os.environ["GOOGLE_DRIVE_URL"] + "/drive/v3/",
    "sheets": os.environ["GOOGLE_SHEETS_URL"],
    "docs": os.environ["GOOGLE_DOCS_URL"],
    "oauth2": ORIGIN,
}


def of_lena(*scopes):
    """Credentials of a person, by delegation."""
    scopes = [AUTH + scope for scope in scopes or ["drive"]]
    return service_account.Credentials.from_service_account_file(KEY_FILE, scopes=scopes, subject=LENA)


def service(name, version, who=None, **more):
    """An API as the library makes it of its own discovery document."""
    options = {"api_endpoint": ADDRESSES[name]}
    known = more or {"credentials": who or of_lena()}
    return build(name, version, client_options=options, static_discovery=True, **known)


def failure(call):
    """Why a call fails; it must."""
    try:
        call.execute()
    except HttpError as error:
        return error
    raise AssertionError("the call fails")


def envelope(error):
    """What a refusal says."""
    return json.loads(error.content)["error"]


def claim_refused(status, message, reason, call):
    """Says that a call of Drive is refused so."""
    error = failure(call)
    claim_equal((error.status_code, error.reason), (status, message), "the refusal")
    said = envelope(error)["errors"][0]
    claim_equal((said["reason"], said["domain"]), (reason, "global"), "its reason")
    return said


def claim_refused_by_status(status, canonical, message, call):
    """Says that a call of Sheets or Docs is refused so: they give no list of reasons."""
    error = failure(call)
    said = envelope(error)
    claim_equal((error.status_code, said["status"], error.reason), (status, canonical, message), "the refusal")
    claim("errors" not in said, "without a list of reasons")


def know_oneself():
    drive = service("drive", "v3")
    about = drive.about().get(fields="user(displayName,emailAddress,me),storageQuota/usage").execute()
    user = {"displayName": "Lena Fischer", "emailAddress": LENA, "me": True}
    claim_equal(about, {"user": user, "storageQuota": {"usage": "0"}}, "Drive shows what is asked for")
    needed = "The 'fields' parameter is required for this method."
    said = claim_refused(400, needed, "required", drive.about().get())
    claim_equal(said["location"], "fields", "and asks for it")
    claim_refused(400, "Invalid field selection shoe", "invalidParameter", drive.about().get(fields="shoe"))
    oauth = service("oauth2", "v2", of_lena("userinfo.email", "drive"))
    shown = oauth.userinfo().get().execute()
    claim_equal((shown["email"], shown["verified_email"]), (LENA, True), "the oauth2 API knows the same person")
    claim_equal(oauth.userinfo().v2().me().get().execute(), shown, "at both addresses")
    token = oauth._http.credentials.token
    info = oauth.tokeninfo(access_token=token).execute()
    claim_equal(set(info["scope"].split()), {AUTH + "userinfo.email", AUTH + "drive"}, "and what the token may")
    claim_equal(failure(oauth.tokeninfo(access_token="x")).status_code, 400, "an unknown token is refused")


def keep_files():
    files = service("drive", "v3").files()
    folder = "application/vnd.google-apps.folder"
    made = files.create(body={"name": "Plans", "mimeType": folder}).execute()
    claim_equal((made["kind"], made["name"], made["mimeType"]), ("drive#file", "Plans", folder), "a folder is made")
    part = files.create(body={"name": "Budget", "description": "Numbers"}, fields="id,name").execute()
    claim_equal(set(part), {"id", "name"}, "a part of the answer is given")
    found = files.get(fileId=part["id"], fields="name,description").execute()
    claim_equal(found, {"name": "Budget", "description": "Numbers"}, "a file is kept")
    listed = files.list(fields="files(id,name)").execute()["files"]
    claim({made["id"], part["id"]} <= {file["id"] for file in listed}, "it is listed")
    changed = files.update(fileId=part["id"], body={"name": "Budget 2026"}).execute()
    claim_equal(changed["name"], "Budget 2026", "it is renamed")
    claim_equal(files.get(fileId=part["id"]).execute()["name"], "Budget 2026", "for good")
    page = files.list(pageSize=1).execute()
    rest = files.list_next(files.list(pageSize=1), page)
    claim(len(page["files"]) == 1 and rest is not None, "a page leads to the next")
    claim(rest.execute()["files"][0]["id"] != page["files"][0]["id"], "which shows others")
    claim_equal(files.delete(fileId=part["id"]).execute(), "", "it is deleted")
    gone = files.get(fileId=part["id"])
    said = claim_refused(404, f"File not found: {part['id']}.", "notFound", gone)
    claim_equal((said["location"], said["locationType"]), ("fileId", "parameter"), "with what is not found")


def keep_sheets_and_docs():
    sheets = service("sheets", "v4").spreadsheets()
    made = sheets.create(body={"properties": {"title": "Budget"}}, fields="spreadsheetId").execute()
    claim_equal(set(made), {"spreadsheetId"}, "a spreadsheet is made")
    found = sheets.get(spreadsheetId=made["spreadsheetId"]).execute()
    claim_equal(found["properties"]["title"], "Budget", "and kept")
    unknown = "Requested entity was not found."
    claim_refused_by_status(404, "NOT_FOUND", unknown, sheets.get(spreadsheetId="none"))
    frob = 'Invalid JSON payload received. Unknown name "frob" at \'spreadsheet\': Cannot find field.'
    claim_refused_by_status(400, "INVALID_ARGUMENT", frob, sheets.create(body={"frob": 1}))
    change = sheets.batchUpdate(spreadsheetId=made["spreadsheetId"], body={"requests": []})
    claim_equal(failure(change).status_code, 501, "changes are not served yet, and say so")

    documents = service("docs", "v1").documents()
    made = documents.create(body={"title": "Minutes"}).execute()
    found = documents.get(documentId=made["documentId"]).execute()
    claim_equal(found["title"], "Minutes", "a document is kept")
    claim_refused_by_status(404, "NOT_FOUND", unknown, documents.get(documentId="none"))


def be_refused():
    strange = service("drive", "v3", http=httplib2.Http()).about().get(fields="user")
    said = envelope(failure(strange))
    claim_equal((said["code"], said["status"]), (403, "PERMISSION_DENIED"), "nobody is let in without a credential")
    strange.headers["authorization"] = "Bearer ya29.not-a-real-token"
    error = failure(strange)
    claim_equal(error.status_code, 401, "an unknown token is refused")
    claim(error.reason.startswith("Request had invalid authentication credentials."), f"in words: {error.reason}")
    said = envelope(error)["errors"][0]
    claim_equal((said["reason"], said["location"]), ("authError", "Authorization"), "and by its header")
    narrow = service("drive", "v3", of_lena("drive.metadata.readonly"))
    claim("files" in narrow.files().list().execute(), "a reader reads")
    error = failure(narrow.files().create(body={"name": "No"}))
    said = envelope(error)
    claim_equal((error.status_code, said["status"]), (403, "PERMISSION_DENIED"), "but does not write")
    claim_equal(said["errors"][0]["reason"], "insufficientPermissions", "which Drive says so")
    claim_equal(said["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "and in detail")
    claim_refused_by_status(
        403,
        "PERMISSION_DENIED",
        "Request had insufficient authentication scopes.",
        service("sheets", "v4", of_lena("documents")).spreadsheets().get(spreadsheetId="none"),
    )
    copy = failure(service("drive", "v3").files().copy(fileId="none", body={}))
    claim_equal(copy.status_code, 501, "what Drive's twin does not do says so")


def try_again():
    drive = service("drive", "v3")
    about = drive.about().get(fields="user")
    on = {"twin": "google-drive", "operation": "drive.about.get"}
    with fault({"error": {"status": 503}}, **on) as rule:
        claim("user" in about.execute(num_retries=1), "the library tries again after 503")
        claim_equal(rule.fired(), 1, "which struck")
    with fault({"rate_limited": {"retry_after": "1s"}}, **on) as rule:
        claim("user" in about.execute(num_retries=1), "and beyond a limit, by Drive's reason")
        claim_equal(rule.fired(), 1, "which struck as well")
    with fault({"rate_limited": {"retry_after": "1s"}}, **on):
        error = failure(about)
        said = envelope(error)["errors"][0]
        claim_equal((error.status_code, said["reason"]), (403, "userRateLimitExceeded"), "else it is told")
    act("dana", "google-identity.admin.revoke_tokens", user=LENA)
    claim("user" in about.execute(), "a revoked token is replaced by another")


run(
    know_oneself,
    keep_files,
    keep_sheets_and_docs,
    be_refused,
    try_again,
)
