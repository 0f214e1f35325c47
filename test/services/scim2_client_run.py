"""
Goes through what scim2-tester leaves out with scim2-client, which checks every answer against the RFCs: a bulk request,
cursors, sorting, versions. Prints what it found as JSON.
"""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    BulkOperation,
    BulkRequest,
    EnterpriseUser,
    Group,
    GroupMember,
    ScimProvider,
    SearchRequest,
    User,
)

url, token = sys.argv[1:]
client = SyncSCIMClient(
    Client(base_url=url, headers={"Authorization": f"Bearer {token}"}),
    provider=ScimProvider([User, EnterpriseUser, Group]),
)
client.discover(schemas=False)
found = {}


def make_user(index):
    user = User(user_name=f"user{index}", title=str(9 - index))
    return BulkOperation[User](method="POST", path="/Users", bulk_id=f"u{index}", data=user)


def make_group(name, *members):
    group = Group(display_name=name, members=[GroupMember(value=f"bulkId:{member}") for member in members])
    return BulkOperation[Group](method="POST", path="/Groups", bulk_id=name, data=group)


operations = [make_group("a", "b"), make_group("b", "a", "u0"), *map(make_user, range(5)), make_user(5)]
operations[-1].data.user_name = "USER0"
answer = client.bulk(BulkRequest[User | Group](operations=operations))
found["bulk"] = [[each.bulk_id, each.status] for each in answer.operations]
found["conflict"] = answer.operations[-1].response.scim_type

cursor = ""
found["cursor"] = []
while cursor is not None:
    page = client.query(User, query_parameters=SearchRequest(cursor=cursor, count=2))
    found["cursor"].append([user.user_name for user in page.resources])
    cursor = page.next_cursor

page = client.search(SearchRequest(sort_by="title", filter='title pr and title ne "9"', count=3))
found["sorted"] = [user.title for user in page.resources]

user = page.resources[0]
user.nick_name = "changed"
found["replaced"] = client.replace(user).meta.version
print(json.dumps(found))
