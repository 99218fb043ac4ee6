// The npm package bybit-api: REST and WebSocket of Bybit v5 in the venue's own words.
import { RestClientV5, WebsocketClient, WS_BASE_URL_MAP } from 'bybit-api';
import { check, expect, expectNumber, Heard, until } from './lib/checks.mjs';

const category = 'linear';
const symbol = 'SOLUSDT';
const quiet = { trace() {}, info() {}, error() {} };

function good(answer) {
    if (answer.retCode !== 0) throw new Error(`${answer.retCode} ${answer.retMsg}`);
    return answer.result;
}

export async function run(simulator) {
    const account = await simulator.account('bybit', 'bybit-api');
    const rest = new RestClientV5({ key: account.key, secret: account.secret, baseUrl: simulator.rest('bybit') });
    WS_BASE_URL_MAP.v5.private.livenet = `${simulator.ws('bybit')}/v5/private`;
    WS_BASE_URL_MAP.v5LinearPublic.public.livenet = `${simulator.ws('bybit')}/v5/public/linear`;
    const socket = new WebsocketClient({ market: 'v5', key: account.key, secret: account.secret }, quiet);
    const heard = new Heard();
    socket.on('update', (message) => (Array.isArray(message.data) ? message.data : [message.data])
        .forEach((row) => heard.push({ topic: message.topic, ...row })));
    socket.on('exception', (error) => heard.push({ topic: 'exception', error }));
    const subscribed = new Heard();
    socket.on('response', (message) => subscribed.push(message));

    const named = (name, body) => check(`bybit-api: ${name}`, body);
    const price = (value) => simulator.price('bybit', symbol, value);
    const order = (fields) => rest.submitOrder({ category, symbol, side: 'Buy', orderType: 'Limit', ...fields });
    const size = async () => good(await rest.getPositionInfo({ category, symbol })).list[0]?.size ?? '0';
    const state = (id, status) => heard.find(`order ${status}`,
        (row) => row.topic === 'order' && row.orderId === id && row.orderStatus === status);

    await named('instruments are read', async () => {
        const { list } = good(await rest.getInstrumentsInfo({ category, symbol }));
        expect(list[0].symbol, symbol, 'symbol');
        expect(list[0].status, 'Trading', 'status');
    });
    await named('private topics and a ticker are subscribed', async () => {
        await price('170');
        socket.subscribeV5(['order', 'execution', 'position', 'wallet'], category, true);
        socket.subscribeV5(`tickers.${symbol}`, category);
        await heard.find('a ticker at 170', (row) => row.topic === `tickers.${symbol}` && Number(row.lastPrice) === 170);
        await subscribed.find('the private acknowledgement', (row) => row.success === true && /v5Private$/.test(row.wsKey));
    });
    let id;
    await named('a limit order rests, is listed and is streamed', async () => {
        id = good(await order({ qty: '10', price: '160', orderLinkId: 'bybit-api-1' })).orderId;
        await state(id, 'New');
        const { list } = good(await rest.getActiveOrders({ category, symbol }));
        expect(list.find((row) => row.orderId === id)?.orderLinkId, 'bybit-api-1', 'client id');
    });
    await named('a fill is streamed with execution, position and wallet, and listed', async () => {
        await simulator.fill('bybit', account, id, '10', '160');
        await state(id, 'Filled');
        await heard.find('its execution', (row) => row.topic === 'execution' && row.orderId === id && Number(row.execQty) === 10);
        await heard.find('its position', (row) => row.topic === 'position' && row.symbol === symbol && Number(row.size) === 10);
        await heard.find('the wallet', (row) => row.topic === 'wallet');
        const { list } = good(await rest.getExecutionList({ category, symbol }));
        expect(list[0].orderId, id, 'order of the execution');
        expectNumber(await size(), 10, 'position');
    });
    await named('a market order fills', async () => {
        const market = good(await order({ orderType: 'Market', qty: '5' })).orderId;
        await state(market, 'Filled');
        expectNumber(await size(), 15, 'position');
    });
    await named('the wallet balance is read', async () => {
        const { list } = good(await rest.getWalletBalance({ accountType: 'UNIFIED', coin: 'USDT' }));
        if (!(Number(list[0].coin[0].walletBalance) > 99000)) throw new Error(JSON.stringify(list));
    });
    await named('a conditional stop waits, fires and leaves the position flat', async () => {
        const stop = good(await order({
            side: 'Sell', orderType: 'Market', qty: '15', triggerPrice: '150', triggerDirection: 2, triggerBy: 'LastPrice',
            reduceOnly: true,
        })).orderId;
        await state(stop, 'Untriggered');
        const { list } = good(await rest.getActiveOrders({ category, symbol, orderFilter: 'StopOrder' }));
        expect(list.map((row) => row.orderId).join(), stop, 'waiting stops');
        await price('149.9');
        await state(stop, 'Filled');
        expectNumber(await until('a flat position', async () => Number(await size()) === 0 && '0'), 0, 'position');
    });
    await named('trading-stop sets the position stop, and the price fires it', async () => {
        good(await order({ orderType: 'Market', qty: '4' }));
        good(await rest.setTradingStop({ category, symbol, stopLoss: '140', positionIdx: 0, tpslMode: 'Full' }));
        expectNumber(good(await rest.getPositionInfo({ category, symbol })).list[0].stopLoss, 140, 'stop loss');
        await price('139.9');
        await until('a flat position', async () => Number(await size()) === 0);
    });
    await named('a cancelled order is streamed and gone', async () => {
        const open = good(await order({ qty: '1', price: '130' })).orderId;
        good(await rest.cancelOrder({ category, symbol, orderId: open }));
        await state(open, 'Cancelled');
        expect(good(await rest.getActiveOrders({ category, symbol })).list.length, 0, 'open orders');
    });
    await named('a refusal carries the venue code', async () => {
        expect((await order({ qty: '1', price: '130', side: 'Sell', reduceOnly: true })).retCode, 110017, 'retCode');
    });
    socket.closeAll(true);
}
