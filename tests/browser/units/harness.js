/** A few lines of test runner for the modules in the browser that runs them in earnest. Tests are named by sentences. */

const tests = new Map();

export function test(sentence, body) {
  tests.set(sentence, body);
}

export async function run(sentence) {
  await tests.get(sentence)();
}

export function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

export function ok(condition, why = 'not true') {
  if (!condition) throw new Error(why);
}

export function near(actual, expected, tolerance) {
  ok(Math.abs(actual - expected) <= tolerance, `expected ${expected} ± ${tolerance}, got ${actual}`);
}

export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
}

/** All that an emitter says, by name, in order. */
export function record(emitter, ...names) {
  const heard = [];
  for (const name of names) emitter.on(name, (detail) => heard.push([name, detail]));
  return heard;
}
