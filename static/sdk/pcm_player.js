/** The agent's voice as packets, played by a worklet: `node` is the sound. */

const MODULE = new URL('./player_worklet.js', import.meta.url);

export class PcmPlayer {
  #stats = { underruns: 0, received: 0, bufferedMs: 0, targetMs: 0 };

  /** @param {AudioContext} context @returns {Promise<PcmPlayer>} */
  static async open(context) {
    await context.audioWorklet.addModule(MODULE);
    return new PcmPlayer(context);
  }

  constructor(context) {
    this.node = new AudioWorkletNode(context, 'goassist-player', { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => {
      this.#stats = data;
    };
  }

  /** @returns {{underruns: number, received: number, bufferedMs: number, targetMs: number}} as of half a second ago */
  get stats() {
    return this.#stats;
  }

  /** @param {ArrayBuffer} packet as it came; it is given away */
  push(packet) {
    this.node.port.postMessage(packet, [packet]);
  }

  /** Nothing of what is held will sound. */
  flush() {
    this.node.port.postMessage('flush');
  }

  close() {
    this.node.port.postMessage('close');
    this.node.disconnect();
  }
}
