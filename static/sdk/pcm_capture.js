/** The visitor's microphone as pieces of 20 ms at 16 kHz, cut by a worklet. */

const MODULE = new URL('./capture_worklet.js', import.meta.url);

export class PcmCapture {
  #context;
  #node;
  #silent;
  #source = null;

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   * @param {(piece: Int16Array) => void} onPiece
   * @returns {Promise<PcmCapture>}
   */
  static async open(context, stream, onPiece) {
    await context.audioWorklet.addModule(MODULE);
    return new PcmCapture(context, stream, onPiece);
  }

  constructor(context, stream, onPiece) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, 'goassist-capture', {
      channelCount: 1, channelCountMode: 'explicit', numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.#node.port.onmessage = ({ data }) => onPiece(data);
    // Only what leads to the output is run; the worklet puts nothing out.
    this.#silent = context.createGain();
    this.#silent.gain.value = 0;
    this.#node.connect(this.#silent).connect(context.destination);
    this.listen(stream);
  }

  /** @param {MediaStream} stream another microphone from now on */
  listen(stream) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
  }

  close() {
    this.#node.port.postMessage('close');
    this.#source.disconnect();
    this.#node.disconnect();
    this.#silent.disconnect();
  }
}
