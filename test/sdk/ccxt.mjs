// ccxt (pro) on both venues through its unified interface: what most bots in the field use.
import ccxt from 'ccxt';
import { check, expect, expectError, expectNumber, Heard, until } from './lib/checks.mjs';

function redirected(value, hosts) {
    if (typeof value === 'string') return hosts.reduce((text, [from, to]) => text.replace(from, to), value);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redirected(inner, hosts)]));
}

const venues = {
    bybit: {
        hosts: (simulator) => [
            ['https://api.{hostname}', simulator.rest('bybit')],
            ['wss://stream.{hostname}', simulator.ws('bybit')],
        ],
        stop: (price) => ({ triggerPrice: price, triggerDirection: 'descending', reduceOnly: true }),
    },
    binance: {
        hosts: (simulator) => [
            ['https://fapi.binance.com', simulator.rest('binance')],
            ['wss://fstream.binance.com', simulator.ws('binance')],
        ],
        stop: (price) => ({ stopLossPrice: price, reduceOnly: true }),
    },
};

async function connect(simulator, venue, account) {
    const exchange = new ccxt.pro[venue]({
        apiKey: account.key,
        secret: account.secret,
        newUpdates: true,
        options: { defaultType: 'swap', fetchMarkets: { types: ['linear'] }, fetchCurrencies: false },
    });
    exchange.has.fetchCurrencies = false;      // a spot wallet endpoint on both venues
    exchange.urls.api = redirected(exchange.urls.api, venues[venue].hosts(simulator));
    await exchange.loadHttpProxyAgent();       // ccxt asks for this before it opens a ws:// (not wss://) address
    return exchange;
}

// Keeps calling a watch method; everything it returns goes to `heard` until the exchange object is closed.
function follow(heard, watch) {
    (async () => {
        for (;;) {
            const news = await watch();
            for (const item of Array.isArray(news) ? news : [news]) heard.push(item);
        }
    })().catch((error) => heard.push({ error }));
}

async function runVenue(simulator, venue) {
    const account = await simulator.account(venue, `ccxt-${venue}`);
    const exchange = await connect(simulator, venue, account);
    const [symbol, id] = ['ETH/USDT:USDT', 'ETHUSDT'];
    const named = (name, body) => check(`ccxt ${venue}: ${name}`, body);
    const price = (value) => simulator.price(venue, id, value);
    const position = async () => (await exchange.fetchPositions([symbol])).find((row) => Number(row.contracts) > 0);
    const orders = new Heard(), tickers = new Heard();

    await named('markets load with their steps', async () => {
        await exchange.loadMarkets();
        const market = exchange.market(symbol);
        expect(market.id, id, 'id');
        expectNumber(market.precision.price, '0.01', 'tick');
        expectNumber(market.precision.amount, '0.01', 'step');
    });
    await named('the public ticker stream follows the price', async () => {
        await price('3000');
        follow(tickers, () => exchange.watchTicker(symbol));
        await tickers.find('a ticker at 3000', (row) => Number(row.last) === 3000);
        await price('3010');
        await tickers.find('a ticker at 3010', (row) => Number(row.last) === 3010);
    });
    let limit;
    await named('a limit order rests, is listed and is streamed', async () => {
        follow(orders, () => exchange.watchOrders());
        await until('the private stream', async () => {
            const { connections = [] } = await simulator.control('connections', { venue });
            return connections.some((row) => row.account === account.key);
        });
        limit = await exchange.createOrder(symbol, 'limit', 'buy', 0.5, 2900, { clientOrderId: 'ccxt-limit-1' });
        const open = await until('the order in the open list', async () => (await exchange.fetchOpenOrders(symbol))[0]);
        expect(open.id, limit.id, 'order id');
        expect(open.clientOrderId, 'ccxt-limit-1', 'client id');
        await orders.find('the order, open', (row) => row.id === limit.id && row.status === 'open');
    });
    await named('a fill is streamed, listed and held', async () => {
        await simulator.fill(venue, account, limit.id, '0.5', '2900');
        const filled = await orders.find('the order, closed', (row) => row.id === limit.id && row.status === 'closed');
        expectNumber(filled.filled, 0.5, 'filled');
        const trade = (await exchange.fetchMyTrades(symbol)).at(-1);
        expect(trade.order, limit.id, 'order of the trade');
        expectNumber(trade.price, 2900, 'price');
        expect(trade.takerOrMaker, 'maker', 'liquidity');
        expectNumber((await position()).contracts, 0.5, 'position');
    });
    await named('a market order fills at the price', async () => {
        const market = await exchange.createOrder(symbol, 'market', 'buy', 0.25);
        const closed = await orders.find('the market order, closed', (row) => row.id === market.id && row.status === 'closed');
        expectNumber(closed.average, 3010, 'average');
        expectNumber((await position()).contracts, 0.75, 'position');
    });
    await named('the balance shows fees and unrealised result', async () => {
        const balance = await exchange.fetchBalance();
        if (!(balance.USDT.total > 99000 && balance.USDT.free < balance.USDT.total)) throw new Error(JSON.stringify(balance.USDT));
    });
    await named('a stop waits in its own list, fires with the price and leaves the position flat', async () => {
        const stop = await exchange.createOrder(symbol, 'market', 'sell', 0.75, undefined, venues[venue].stop(2800));
        const waiting = await exchange.fetchOpenOrders(symbol, undefined, undefined, { trigger: true });
        expect(waiting.map((row) => row.id).join(), stop.id, 'waiting stops');
        expectNumber(waiting[0].triggerPrice, 2800, 'trigger price');
        await price('2795');
        await until('a flat position', async () => (await position()) === undefined);
        const last = (await exchange.fetchMyTrades(symbol)).at(-1);
        expect(last.side, 'sell', 'side');
        expectNumber(last.price, 2795, 'price');
        await orders.find('the stop, filled', (row) => row.side === 'sell' && row.status === 'closed' && Number(row.filled) === 0.75);
    });
    await named('a cancelled order is streamed and gone', async () => {
        const order = await exchange.createOrder(symbol, 'limit', 'buy', 0.1, 2700);
        await exchange.cancelOrder(order.id, symbol);
        await orders.find('the order, canceled', (row) => row.id === order.id && row.status === 'canceled');
        expect((await exchange.fetchOpenOrders(symbol)).length, 0, 'open orders');
    });
    await named('refusals arrive as the right exceptions', async () => {
        // ccxt picks Binance's futures error table by the host name in the address, hence the bare code there.
        await expectError(/InsufficientFunds|-2019/, () => exchange.createOrder(symbol, 'limit', 'buy', 5000, 2790));
        await expectError(/OrderNotFound|InvalidOrder/, () => exchange.cancelOrder('1', symbol));
        const stranger = await connect(simulator, venue, { ...account, secret: 'wrong' });
        await expectError(/AuthenticationError/, () => stranger.fetchBalance());
        await stranger.close();
    });
    await exchange.close();
}

export async function run(simulator) {
    await runVenue(simulator, 'bybit');
    await runVenue(simulator, 'binance');
}
