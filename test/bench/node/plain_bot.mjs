// The baseline: what a plain bot made of `ws` and `pg` does with Bybit's stream. No batching, no state, no recovery.
//   task.kind "orders": one insert per order frame, in one of two ways: each awaited before the next, or pipelined.
//   task.kind "prices": subscribes task.symbols and updates one row per ticker, for comparison of CPU and memory at rest.
// Says "ready" when subscribed, then (orders) one line of JSON when task.count rows are committed.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import WebSocket from 'ws';

const task = JSON.parse(process.argv[2]);
const database = new pg.Client({ ...task.database, pipeline: task.pipelined === true });
await database.connect();

const columns = ['account', 'exchange', 'symbol', 'order_id', 'client_order_id', 'kind', 'side', 'position_side', 'type', 'status',
    'venue_status', 'price', 'quantity', 'filled_quantity', 'reduce_only', 'created_at', 'venue_updated_at', 'version_order',
    'version_time', 'source'];
const insertOrder = `insert into ${task.table} (${columns}) values (${columns.map((_, i) => `$${i + 1}`)})
    on conflict (order_id, symbol, account, kind) do update set status = excluded.status, filled_quantity = excluded.filled_quantity`;

function orderRow(order) {
    return [task.account, 'bybit', order.symbol, order.orderId, order.orderLinkId, 'regular', order.side.toLowerCase(), 'both',
        order.orderType.toLowerCase(), 'new', order.orderStatus, order.price, order.qty, order.cumExecQty, order.reduceOnly,
        new Date(Number(order.createdTime)), new Date(Number(order.updatedTime)), 0, order.updatedTime, 'stream'];
}

const saveOrder = (order) => database.query({ name: 'order', text: insertOrder, values: orderRow(order) });

const updatePrice = `update ${task.table} set current_price = $2, updated_at = now() where symbol = $1`;
const savePrice = (ticker) => database.query({ name: 'price', text: updatePrice, values: [ticker.symbol, ticker.markPrice] });

// Frames wait in memory while their predecessors are written, as they do in any client that awaits its database.
async function saveOrders(frames) {
    let saved = 0;
    while (saved < task.count) {
        if (frames.length === 0) await new Promise((resolve) => { frames.arrived = resolve; });
        const taken = frames.splice(0);
        if (task.pipelined) {
            await Promise.all(taken.map(saveOrder));
        } else {
            for (const order of taken) await saveOrder(order);
        }
        saved += taken.length;
    }
    const lastSavedUs = (performance.timeOrigin + performance.now()) * 1000;
    const rssAnon = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    console.log(JSON.stringify({ saved, lastSavedUs, privateMb: Number(rssAnon) / 1024 }));
}

function subscribe(socket) {
    const send = (message) => socket.send(JSON.stringify(message));
    if (task.kind === 'prices') return send({ op: 'subscribe', args: task.symbols.map((symbol) => `tickers.${symbol}`) });
    const expires = Date.now() + 10000;
    const signature = createHmac('sha256', task.secret).update(`GET/realtime${expires}`).digest('hex');
    send({ op: 'auth', args: [task.key, expires, signature] });
    return send({ op: 'subscribe', args: ['order'] });
}

const path = task.kind === 'prices' ? '/v5/public/linear' : '/v5/private';
const socket = new WebSocket(task.stream + path, { ca: readFileSync(task.ca) });
const frames = [];
let written = Promise.resolve();
socket.on('open', () => subscribe(socket));
socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.op === 'subscribe' && message.success) {
        console.log('ready');
    } else if (message.topic === 'order') {
        frames.push(...message.data);
        frames.arrived?.();
    } else if (message.topic?.startsWith('tickers.') && message.data.markPrice) {
        written = written.then(() => savePrice(message.data));
    }
});
if (task.kind === 'orders') {
    await saveOrders(frames);
    socket.close();
    await database.end();
}
