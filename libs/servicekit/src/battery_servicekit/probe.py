"""Ask a service on this machine whether it answers: ``python -m battery_servicekit.probe [PATH]``.

For health checks of containers, whose images hold no other HTTP client. ``PORT`` names the port, and the exit code is 0
if the answer is 200. The default path is ``/health``; ``/health/ready`` asks whether it can do its work.
"""

import http.client
import os
import sys

TIMEOUT_S = 4.0


def is_answering(port: int, path: str = "/health") -> bool:
    """Return whether the service at a port of this machine answers a path with 200."""
    for host in ("127.0.0.1", "::1"):
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return True
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    return False


def main() -> None:
    """Exit with 0 if the service answers, with 1 if it does not."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/health"
    sys.exit(0 if is_answering(int(os.environ.get("PORT", "8000")), path) else 1)


if __name__ == "__main__":
    main()
