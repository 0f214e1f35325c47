"""Runs scim2-tester against the server of the first argument, with the token of the second; prints its results as JSON."""

import json
import random
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

url, token = sys.argv[1:]
random.seed(7644)
with Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
    results = check_server(SyncSCIMClient(http))
print(
    json.dumps(
        [
            {
                "status": result.status.name,
                "resource": result.resource_type,
                "check": result.title,
                "reason": result.reason,
            }
            for result in results
        ]
    )
)
