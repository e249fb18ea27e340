"""Servers that run already, named in the environment."""

from urllib.parse import urlsplit

from tests.support.servers.server import Server, ServerError, libpq, until_it_answers


class GivenServer(Server):
    """A server of somebody else's: used, but neither started nor stopped.

    A RabbitMQ needs the management plugin, because tests get a virtual host each; its address is
    that of the broker with port 15672 unless told otherwise (AMQP_MANAGEMENT_URL).
    """

    def __init__(self, url: str, management_url: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme == "amqp":
            credentials = parts.netloc.rpartition("@")[0] or "guest:guest"
            self.management_url = management_url or f"http://{credentials}@{parts.hostname}:15672"
            self.url = url
        elif parts.scheme in {"postgresql", "postgresql+psycopg"}:
            self.url = libpq(url).replace("postgresql://", "postgresql+psycopg://", 1)
        else:
            raise ServerError(
                "A server's URL starts with amqp:// (AMQP_URL) or postgresql:// (DATABASE_URL), "
                f"not with {parts.scheme}://; correct the variable or unset it"
            )
        self.described = f"{parts.scheme.partition('+')[0]} at {parts.hostname}, as given"

    def start(self) -> None:
        until_it_answers(self, seconds=10)

    def stop(self) -> None:
        raise ServerError(f"{self.described}: not started here, so not stopped here; unset its URL")

    def kill(self) -> None:
        self.stop()

    def close(self) -> None:
        """Leave it running: it is not ours."""
