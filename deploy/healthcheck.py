"""Whether the service in this container answers: exit code 0, or 1 with the reason."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """Ask `/healthz`; directly, because a container may be told of a proxy."""
    port = int(os.environ.get("CONCENTRIC_PORT", "8080"))
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"no answer on port {port}: {error}")
        return 1
    print(f"/healthz answers {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
