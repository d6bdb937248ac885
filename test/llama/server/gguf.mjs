/**
 * Writes GGUF version 3, the model file format of llama.cpp: a header, typed metadata, tensor descriptions and then the
 * tensor data, everything little-endian. Only what a small F32 model needs is here.
 */

/** The metadata types, with the numbers the format gives them. */
const TYPE = /** @type {const} */ ({ u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 });

const MAGIC = "GGUF";
const VERSION = 3;
const GGML_TYPE_F32 = 0;
/** Tensor data starts on multiples of this many bytes, which is the format's default. */
const ALIGNMENT = 32;

/**
 * @typedef {"u32" | "i32" | "f32" | "bool" | "string"} ScalarType
 * @typedef {number | boolean | string} Scalar
 * @typedef {{ key: string, type: ScalarType, value: Scalar }} ScalarEntry
 * @typedef {{ key: string, type: "array", of: ScalarType, value: readonly Scalar[] }} ArrayEntry
 * @typedef {ScalarEntry | ArrayEntry} MetadataEntry
 * @typedef {{ name: string, shape: readonly number[], data: Float32Array }} Tensor A shape names the row length first,
 *   the reverse of what numpy prints.
 */

/**
 * @param {{ metadata: readonly MetadataEntry[], tensors: readonly Tensor[] }} model
 * @returns {Buffer} The bytes of the file.
 */
export function encodeGguf({ metadata, tensors }) {
  const head = [
    Buffer.from(MAGIC),
    u32(VERSION),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata.flatMap(encodeEntry),
    ...describeTensors(tensors),
  ];
  const headLength = head.reduce((total, part) => total + part.length, 0);
  return Buffer.concat([...head, padding(headLength), ...tensors.flatMap(encodeTensorData)]);
}

/** @param {MetadataEntry} entry */
function encodeEntry(entry) {
  const start = [encodeScalar("string", entry.key), u32(TYPE[entry.type])];
  if (entry.type !== "array") return [...start, encodeScalar(entry.type, entry.value)];
  const { of } = entry;
  return [...start, u32(TYPE[of]), u64(entry.value.length), ...entry.value.map((item) => encodeScalar(of, item))];
}

/**
 * @param {ScalarType} type
 * @param {Scalar} value
 */
function encodeScalar(type, value) {
  if (type === "string") {
    const bytes = Buffer.from(String(value), "utf8");
    return Buffer.concat([u64(bytes.length), bytes]);
  }
  if (type === "bool") return Buffer.from([value ? 1 : 0]);
  const bytes = Buffer.alloc(4);
  if (type === "f32") bytes.writeFloatLE(Number(value));
  else if (type === "i32") bytes.writeInt32LE(Number(value));
  else bytes.writeUInt32LE(Number(value));
  return bytes;
}

/**
 * Names, shapes and offsets. Offsets count from the start of the tensor data.
 *
 * @param {readonly Tensor[]} tensors
 */
function describeTensors(tensors) {
  let offset = 0;
  return tensors.flatMap(({ name, shape, data }) => {
    const at = offset;
    offset += data.byteLength + padding(data.byteLength).length;
    return [encodeScalar("string", name), u32(shape.length), ...shape.map(u64), u32(GGML_TYPE_F32), u64(at)];
  });
}

/** @param {Tensor} tensor */
function encodeTensorData({ data }) {
  const bytes = Buffer.alloc(data.byteLength);
  for (const [index, value] of data.entries()) bytes.writeFloatLE(value, index * 4);
  return [bytes, padding(bytes.length)];
}

/** @param {number} length The zero bytes that bring `length` to the alignment. */
function padding(length) {
  return Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
}

/** @param {number} value */
function u32(value) {
  return encodeScalar("u32", value);
}

/** @param {number} value */
function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
