// The npm package binance: REST and WebSocket of USDⓈ-M futures in the venue's own words.
import { USDMClient, WebsocketClient, WS_KEY_URL_MAP } from 'binance';
import { check, expect, expectError, expectNumber, Heard, until } from './lib/checks.mjs';

const symbol = 'SOLUSDT';
const quiet = { trace() {}, info() {}, error() {} };

export async function run(simulator) {
    const account = await simulator.account('binance', 'binance');
    const keys = { api_key: account.key, api_secret: account.secret };
    const rest = new USDMClient({ ...keys, baseUrl: simulator.rest('binance') });
    for (const key of ['usdm', 'usdmPublic', 'usdmMarket', 'usdmPrivate']) WS_KEY_URL_MAP[key] = simulator.ws('binance');
    const socket = new WebsocketClient({ ...keys, beautify: false, restOptions: { baseUrl: simulator.rest('binance') } }, quiet);
    const heard = new Heard();
    socket.on('message', (message) => heard.push(message.data ?? message));
    socket.on('exception', (error) => heard.push({ e: 'exception', error }));

    const named = (name, body) => check(`binance: ${name}`, body);
    const price = (value) => simulator.price('binance', symbol, value);
    const event = (what, matches) => heard.find(what, matches);
    const order = (fields) => rest.submitNewOrder({ symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', ...fields });
    const market = (fields) => rest.submitNewOrder({ symbol, side: 'BUY', type: 'MARKET', ...fields });
    const position = async () => (await rest.getPositionsV3({ symbol }))[0]?.positionAmt ?? '0';
    const update = (clientId, status) => event(`${clientId} ${status}`,
        (row) => row.e === 'ORDER_TRADE_UPDATE' && row.o.c === clientId && row.o.X === status);

    await named('exchange information is read', async () => {
        const { symbols } = await rest.getExchangeInfo();
        expect(symbols.find((row) => row.symbol === symbol).status, 'TRADING', 'status');
    });
    await named('user data and market streams are subscribed on their own routes', async () => {
        await price('170');
        await socket.subscribeUsdFuturesUserDataStream();
        await socket.subscribe([`${symbol.toLowerCase()}@markPrice@1s`, `${symbol.toLowerCase()}@bookTicker`], 'usdm');
        await event('a mark price of 170', (row) => row.e === 'markPriceUpdate' && Number(row.p) === 170);
        await event('a best ask of 170', (row) => row.e === 'bookTicker' && Number(row.a) === 170);
    });
    let id;
    await named('a limit order rests, is listed and is streamed', async () => {
        const clientId = rest.generateNewOrderId();
        await order({ quantity: 10, price: 165, newClientOrderId: clientId });
        const state = await update(clientId, 'NEW');
        id = (await rest.getAllOpenOrders({ symbol })).find((row) => row.clientOrderId === clientId).clientOrderId;
        expect(state.o.S, 'BUY', 'side');
    });
    await named('a fill is streamed with position and balance, and listed', async () => {
        const { accounts } = await simulator.control('state', { venue: 'binance', account: account.key });
        await simulator.fill('binance', account, accounts[0].orders.find((row) => row.client_order_id === id).order_id, '10', '165');
        const filled = await update(id, 'FILLED');
        expect(filled.o.m, true, 'maker');
        await event('the position', (row) => row.e === 'ACCOUNT_UPDATE' && row.a.P.some((p) => p.s === symbol && Number(p.pa) === 10));
        await event('the early notice', (row) => row.e === 'TRADE_LITE' && row.c === id);
        const trades = await rest.getAccountTrades({ symbol });
        expectNumber(trades.at(-1).price, 165, 'price');
        expectNumber(await position(), 10, 'position');
    });
    await named('a market order is acknowledged as new and fills', async () => {
        const clientId = rest.generateNewOrderId();
        expect((await market({ quantity: 5, newClientOrderId: clientId })).status, 'NEW', 'acknowledged status');
        await update(clientId, 'FILLED');
        const query = await rest.getOrder({ symbol, origClientOrderId: clientId });
        expectNumber(query.avgPrice, 170, 'average price');
        expectNumber(await position(), 15, 'position');
    });
    await named('balances are read', async () => {
        const usdt = (await rest.getBalanceV3()).find((row) => row.asset === 'USDT');
        if (!(Number(usdt.balance) > 99000 && Number(usdt.availableBalance) < Number(usdt.balance))) throw new Error(JSON.stringify(usdt));
    });
    await named('a stop lives in the algo service, fires and leaves the position flat', async () => {
        await expectError(/-4120/, () => rest.submitNewOrder({ symbol, side: 'SELL', type: 'STOP_MARKET', stopPrice: 150, quantity: 15 }));
        const stop = await rest.submitNewAlgoOrder({
            algoType: 'CONDITIONAL', symbol, side: 'SELL', type: 'STOP_MARKET', triggerPrice: '150', quantity: '15',
            reduceOnly: 'true', workingType: 'MARK_PRICE', clientAlgoId: rest.generateNewOrderId(),
        });
        expect((await rest.getOpenAlgoOrders({ symbol })).map((row) => row.clientAlgoId).join(), stop.clientAlgoId, 'waiting stops');
        expect((await rest.getAllOpenOrders({ symbol })).length, 0, 'regular open orders');
        await price('149.9');
        const finished = await event('the stop, finished',
            (row) => row.e === 'ALGO_UPDATE' && row.o.caid === stop.clientAlgoId && row.o.X === 'FINISHED');
        expectNumber(finished.o.aq, 15, 'filled');
        await until('a flat position', async () => Number(await position()) === 0);
        const query = await rest.getAlgoOrder({ clientAlgoId: stop.clientAlgoId });
        expect(query.algoStatus, 'FINISHED', 'status');
    });
    await named('a cancelled order is streamed and gone', async () => {
        const clientId = rest.generateNewOrderId();
        await order({ quantity: 1, price: 145, newClientOrderId: clientId });
        await rest.cancelOrder({ symbol, origClientOrderId: clientId });
        await update(clientId, 'CANCELED');
        expect((await rest.getAllOpenOrders({ symbol })).length, 0, 'open orders');
        await expectError(/-2011/, () => rest.cancelOrder({ symbol, origClientOrderId: clientId }));
    });
    await named('leverage is set and streamed', async () => {
        await rest.setLeverage({ symbol, leverage: 7 });
        await event('the new leverage', (row) => row.e === 'ACCOUNT_CONFIG_UPDATE' && row.ac.s === symbol && row.ac.l === 7);
    });
    socket.closeAll(true);
}
