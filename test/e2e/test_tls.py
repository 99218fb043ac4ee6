"""The same account over TLS, with a certificate authority of our own."""
from compare import wait_equal
from support.cluster import wait_for

TLS = True


def test_an_account_lives_over_tls_and_survives_cuts(world, venue):
    account = world.account(venue, count=3)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    wait_equal(account)
    for how in ("close", "reset"):
        account.simulator.control("drop", venue=venue, stream="all", how=how)
        account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.01")
        wait_equal(account, timeout=30)
    priced = "select count(*) from monitoring.open_positions join monitoring.prices using (account, symbol) where account = :account"
    wait_for(lambda: account.value(priced) == 3, "prices over TLS", 10)


def test_an_unknown_certificate_authority_is_refused_with_a_reason(world, venue):
    account = world.account(venue)
    world.cluster.configure({"tradesync.ca_file": "''"})
    world.cluster.reload()
    try:
        world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
        wait_for(lambda: account.pid() is None, "worker gone")
        world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
        error = "select last_error from monitoring.worker_status where account = :account"
        wait_for(lambda: "certificate" in (account.value(error) or ""), "a reason that names the certificate", 15)
        assert account.value("select state from monitoring.worker_status where account = :account") != "live"
    finally:
        world.cluster.configure({"tradesync.ca_file": f"'{world.simulator.ca_file}'"})
        world.cluster.reload()
