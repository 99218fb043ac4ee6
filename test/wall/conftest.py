import pytest
from server import Server


@pytest.fixture(scope="session")
def whole_server():
    server = Server()
    yield server
    server.cluster.remove()


@pytest.fixture
def server(whole_server):
    whole_server.make_ready()
    return whole_server
