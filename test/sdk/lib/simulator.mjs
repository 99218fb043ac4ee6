// The running simulator: its ports (from the port file) and its control commands.
import { readFileSync } from 'node:fs';

export function readPorts(file) {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return Object.fromEntries(lines.map((line) => line.trim().split(/\s+/)));
}

export class Simulator {
    constructor(ports) {
        this.ports = ports;
        this.run = Date.now().toString(36);      // the checks may run again against the same simulator
    }

    rest(venue) {
        return `http://127.0.0.1:${this.ports[`${venue}_http`]}`;
    }

    ws(venue) {
        return `ws://127.0.0.1:${this.ports[`${venue}_http`]}`;
    }

    async control(command, fields) {
        const answer = await fetch(`http://127.0.0.1:${this.ports.control}/${command}`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(fields),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`control ${command}: ${answer.status} ${text}`);
        return JSON.parse(text || '{}');
    }

    // A fresh account, so that SDKs and runs do not see each other's orders.
    async account(venue, name) {
        const account = { key: `key-${name}-${this.run}`, secret: `secret-${name}` };
        await this.control('account', { venue, ...account, wallet: '100000', hedge: false });
        return account;
    }

    price(venue, symbol, price) {
        return this.control('price', { venue, symbol, mark: String(price), last: String(price) });
    }

    fill(venue, account, orderId, quantity, price) {
        return this.control('fill', {
            venue, account: account.key, order_id: String(orderId), quantity: String(quantity), price: String(price),
        });
    }
}
