/**
 * Reads the bytes of an ONNX model, whoever wrote them. Hand-written for the predict path: no message is a generic
 * object, and lists of numbers go straight into typed arrays. What is read takes at most a small multiple of the file:
 * lists are counted before they are allocated, and messages are refused beyond one for every few bytes.
 */
import { ModelDamagedError } from './model-damaged-error.ts';
import { wrongWireType } from './number-list.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './onnx-model.ts';
import { readAttribute } from './read-attribute.ts';
import { readTensor } from './read-tensor.ts';
import { readValue } from './read-value.ts';
import { WireReader, WireType } from './wire-reader.ts';

/** What a message takes in memory is some 200 bytes: files with more messages than this would take ten times theirs. */
const BYTES_PER_MESSAGE = 16;
const FREE_MESSAGES = 1_000;

/** How many more messages may be read. */
interface Allowance {
  left: number;
}

/** @throws {ModelDamagedError} */
export function readModel(bytes: Uint8Array): OnnxModel {
  const allowance = { left: FREE_MESSAGES + bytes.length / BYTES_PER_MESSAGE };
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  let [irVersion, producerName, producerVersion, nFunctions] = [0, '', '', 0];
  let graph: OnnxGraph | undefined;
  const reader = WireReader.over(bytes);
  while (reader.hasMore) {
    const tag = reader.tag();
    switch (tag) {
      case fieldOf(1, WireType.varint):
        irVersion = reader.varint();
        break;
      case fieldOf(2, WireType.bytes):
        producerName = reader.text();
        break;
      case fieldOf(3, WireType.bytes):
        producerVersion = reader.text();
        break;
      case fieldOf(7, WireType.bytes):
        if (graph !== undefined) throw new ModelDamagedError('it holds two graphs');
        graph = readGraph(reader.window(), allowance);
        break;
      case fieldOf(8, WireType.bytes):
        readOpset(message(reader, allowance), opsets);
        break;
      case fieldOf(14, WireType.bytes):
        readMetadata(message(reader, allowance), metadata);
        break;
      case fieldOf(25, WireType.bytes):
        nFunctions++;
        reader.skip(WireType.bytes);
        break;
      default:
        skipUnknown(reader, tag, [1, 2, 3, 7, 8, 14, 25]);
    }
  }
  if (graph === undefined) throw new ModelDamagedError('it holds no graph');
  return { irVersion, producerName, producerVersion, opsets, metadata, nFunctions, graph };
}

function readGraph(reader: WireReader, allowance: Allowance): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  let nSparseInitializers = 0;
  while (reader.hasMore) {
    const tag = reader.tag();
    switch (tag) {
      case fieldOf(1, WireType.bytes):
        nodes.push(readNode(message(reader, allowance), allowance));
        break;
      case fieldOf(5, WireType.bytes):
        initializers.push(readTensor(message(reader, allowance)));
        break;
      case fieldOf(11, WireType.bytes):
        inputs.push(readValue(message(reader, allowance)));
        break;
      case fieldOf(12, WireType.bytes):
        outputs.push(readValue(message(reader, allowance)));
        break;
      case fieldOf(15, WireType.bytes):
        nSparseInitializers++;
        reader.skip(WireType.bytes);
        break;
      default:
        skipUnknown(reader, tag, [1, 5, 11, 12, 15]);
    }
  }
  return { nodes, initializers, nSparseInitializers, inputs, outputs };
}

function readNode(reader: WireReader, allowance: Allowance): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: OnnxNode['attributes'][number][] = [];
  let [name, opType, domain] = ['', '', ''];
  while (reader.hasMore) {
    const tag = reader.tag();
    switch (tag) {
      case fieldOf(1, WireType.bytes):
        inputs.push(reader.text());
        break;
      case fieldOf(2, WireType.bytes):
        outputs.push(reader.text());
        break;
      case fieldOf(3, WireType.bytes):
        name = reader.text();
        break;
      case fieldOf(4, WireType.bytes):
        opType = reader.text();
        break;
      case fieldOf(5, WireType.bytes):
        attributes.push(readAttribute(message(reader, allowance)));
        break;
      case fieldOf(7, WireType.bytes):
        domain = reader.text();
        break;
      default:
        skipUnknown(reader, tag, [1, 2, 3, 4, 5, 7]);
    }
  }
  return { name, opType, domain: domainName(domain), inputs, outputs, attributes };
}

function readOpset(reader: WireReader, opsets: Map<string, number>): void {
  let [domain, version] = ['', 0];
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === fieldOf(1, WireType.bytes)) domain = reader.text();
    else if (tag === fieldOf(2, WireType.varint)) version = reader.varint();
    else skipUnknown(reader, tag, [1, 2]);
  }
  const name = domainName(domain);
  if (opsets.has(name)) throw new ModelDamagedError(`it imports the operators of ${name} twice`);
  opsets.set(name, version);
}

function readMetadata(reader: WireReader, metadata: Map<string, string>): void {
  let [key, value] = ['', ''];
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === fieldOf(1, WireType.bytes)) key = reader.text();
    else if (tag === fieldOf(2, WireType.bytes)) value = reader.text();
    else skipUnknown(reader, tag, [1, 2]);
  }
  metadata.set(key, value);
}

function message(reader: WireReader, allowance: Allowance): WireReader {
  allowance.left--;
  if (allowance.left < 0) throw new ModelDamagedError('it has more messages than its size explains');
  return reader.window();
}

/** A field of a number that is read, written in another way, is damage and nothing new. */
export function skipUnknown(reader: WireReader, tag: number, known: readonly number[]): void {
  if (known.includes(tag >>> 3)) throw wrongWireType(tag & 7);
  reader.skip(tag & 7);
}

export function fieldOf(number: number, wireType: number): number {
  return number * 8 + wireType;
}

function domainName(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}
