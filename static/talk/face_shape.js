/** From ARKit shapes to the lines of a simple drawn face. Pure geometry in the units of the SVG's 200 × 200 box. */

/** @typedef {import('../sdk/face_track.js').Pose} Pose */
/** @typedef {{lips: string, inner: string, teethY: number, tongueY: number, eyes: {x: number, y: number, ry: number}[]}} Shape */

const MOUTH = { x: 100, y: 128, halfWidth: 27 };
const EYE = { y: 84, dx: 31, ry: 10.5 };
const LIP = 4.2;

/** @param {Pose} pose @returns {Shape} */
export function shapeOf(pose) {
  const mouth = mouthOf(pose);
  const outer = { ...mouth, up: mouth.up + mouth.lip, down: mouth.down + mouth.lip * 1.15, w: mouth.w + mouth.lip * 0.7 };
  return {
    lips: outline(outer),
    inner: outline(mouth),
    teethY: MOUTH.y - mouth.up,
    tongueY: MOUTH.y + mouth.down,
    eyes: [eyeOf(pose, 'Left', 1), eyeOf(pose, 'Right', -1)],
  };
}

/** Half width, openings above and below the line between the corners, and how far the corners are raised. */
function mouthOf(pose) {
  const open = value(pose, 'jawOpen') * (1 - 0.9 * value(pose, 'mouthClose'));
  const round = Math.max(value(pose, 'mouthPucker'), 0.75 * value(pose, 'mouthFunnel'));
  const wide = both(pose, 'mouthStretch') + 0.7 * both(pose, 'mouthSmile') + 0.4 * both(pose, 'mouthDimple');
  const press = Math.max(both(pose, 'mouthPress'), value(pose, 'mouthRollLower'), value(pose, 'mouthRollUpper'));
  const funnel = value(pose, 'mouthFunnel');
  return {
    w: MOUTH.halfWidth * Math.max(0.3, 1 + 0.28 * wide - 0.55 * round - 0.1 * open),
    up: 9 * open + 7 * both(pose, 'mouthUpperUp') + 5 * funnel,
    down: 30 * open + 8 * both(pose, 'mouthLowerDown') + 7 * funnel,
    lift: 2.5 + 9 * both(pose, 'mouthSmile') - 9 * both(pose, 'mouthFrown'),
    lip: LIP * (1 + 0.5 * round - 0.55 * press),
  };
}

/** A closed curve through both corners; cubic handles at 0.62 of the width keep it soft when wide and round when small. */
function outline({ w, up, down, lift }) {
  const { x, y } = MOUTH;
  const corner = y - lift;
  // A cubic reaches three quarters of its handles' height.
  // At rest both halves lie on one line that the raised corners bend into a slight smile.
  const rest = y + lift * 1.5;
  const top = rest - (4 / 3) * up;
  const bottom = rest + (4 / 3) * down;
  const h = w * 0.62;
  return `M${n(x - w)} ${n(corner)}C${n(x - h)} ${n(top)} ${n(x + h)} ${n(top)} ${n(x + w)} ${n(corner)}`
    + `C${n(x + h)} ${n(bottom)} ${n(x - h)} ${n(bottom)} ${n(x - w)} ${n(corner)}Z`;
}

/** `side` as ARKit has it, the face's own left: on the right as we look at it. */
function eyeOf(pose, side, sign) {
  const inward = value(pose, `eyeLookIn${side}`) - value(pose, `eyeLookOut${side}`);
  const upward = value(pose, `eyeLookUp${side}`) - value(pose, `eyeLookDown${side}`);
  const lid = 1 - value(pose, `eyeBlink${side}`) - 0.35 * value(pose, `eyeSquint${side}`);
  return {
    x: MOUTH.x + sign * EYE.dx - sign * 5 * inward,
    y: EYE.y - 4 * upward,
    ry: Math.max(0.9, EYE.ry * Math.max(0, lid)),
  };
}

const value = (pose, name) => pose[name] ?? 0;
const both = (pose, name) => (value(pose, `${name}Left`) + value(pose, `${name}Right`)) / 2;
const n = (x) => x.toFixed(2);
