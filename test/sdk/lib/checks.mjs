// Runs named checks one after the other and counts them. A check fails by throwing.
const counts = { passed: 0, failed: 0 };

export async function check(name, body) {
    try {
        await body();
        counts.passed += 1;
        console.log(`ok      ${name}`);
    } catch (error) {
        counts.failed += 1;
        console.log(`FAILED  ${name}: ${String(error?.message ?? JSON.stringify(error)).slice(0, 400)}`);
    }
}

export function summary() {
    console.log(`${counts.passed} passed, ${counts.failed} failed`);
    return counts.failed === 0 && counts.passed > 0;
}

export function expect(actual, expected, what) {
    if (String(actual) !== String(expected)) throw new Error(`${what}: ${actual}, expected ${expected}`);
}

// Numbers are compared as numbers: SDKs turn "0.050" into 0.05.
export function expectNumber(actual, expected, what) {
    if (Number(actual) !== Number(expected)) throw new Error(`${what}: ${actual}, expected ${expected}`);
}

export async function expectError(pattern, action) {
    let text;
    try {
        const answer = await action();
        text = `no error: ${JSON.stringify(answer)}`;
    } catch (error) {
        text = `${error?.constructor?.name} ${error?.code} ${error?.message}`;
    }
    if (!pattern.test(text)) throw new Error(`${text} does not match ${pattern}`);
}

const kWaitMs = 5000;
const kPollMs = 20;

// Repeats until `probe` gives something truthy, which is returned.
export async function until(what, probe) {
    const deadline = Date.now() + kWaitMs;
    for (;;) {
        const found = await probe();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`not within ${kWaitMs} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, kPollMs));
    }
}

// Whatever a stream said, kept in order of arrival.
export class Heard {
    constructor() {
        this.events = [];
    }

    push(event) {
        this.events.push(event);
    }

    // An event { error } means that the stream itself failed.
    find(what, matches) {
        return until(what, () => {
            const broken = this.events.find((event) => event?.error);
            if (broken) throw new Error(`stream: ${broken.error?.message ?? JSON.stringify(broken.error)}`);
            return this.events.find(matches);
        });
    }
}
