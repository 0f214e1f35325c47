/**
 * Messages of LDAP (RFC 4511) over one socket, in the codec of ldapts. Its client is not used: it connects again without
 * anybody's name when a connection is lost, and takes a page without entries for the last one
 * (docs/decisions/0022-ldap-over-a-connection-of-our-own.md).
 */
import type { Socket } from 'node:net';
import { type Message, MessageParser, type MessageResponse, SearchEntry, SearchReference } from 'ldapts';
import { SyncError } from '../../errors.ts';
import { createFrames } from './frames.ts';

/** What came for one request: the result, and before it the entries and references of a search. */
export interface Reply {
  readonly result: MessageResponse;
  readonly entries: readonly SearchEntry[];
  readonly references: readonly string[];
}

export interface Wire {
  /**
   * @param create gets the number of the message
   * @throws SyncError why the connection ended, now or before
   */
  send(create: (messageId: number) => Message): Promise<Reply>;
  /** Without an answer, as the one that says farewell. */
  tell(create: (messageId: number) => Message): void;
  /** Ends the connection; whatever waits for an answer throws this. */
  end(error: SyncError): void;
  /** Takes the socket back, for encryption to begin on it. Throws where more came than was asked for. */
  release(): Socket;
}

export interface WireOptions {
  readonly socket: Socket;
  /** `ldaps://dc1.corp.example`, for messages. */
  readonly origin: string;
  /** How long the other side may be silent while something is awaited, in milliseconds. */
  readonly timeoutMs: number;
  /** See `createFrames`. */
  readonly mostBytes?: number;
}

interface Pending {
  readonly request: Message;
  readonly entries: SearchEntry[];
  readonly references: string[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SyncError) => void;
}

/** @param options.socket connected, and encrypted where it is to be */
export function createWire({ socket, origin, timeoutMs, mostBytes }: WireOptions): Wire {
  const pending = new Map<string, Pending>();
  const requests = new Map<string, { message: Message }>();
  const frames = createFrames(mostBytes);
  const parser = new MessageParser();
  let ended: SyncError | null = null;
  let last = 0;
  let silence: NodeJS.Timeout | undefined;

  function end(error: SyncError): void {
    if (ended !== null) return;
    ended = error;
    clearTimeout(silence);
    socket.destroy();
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    requests.clear();
  }

  function fail(what: string, cause?: unknown): void {
    end(new SyncError('ReadFailed', `${origin} ${what}`, { cause }));
  }

  /** Begins anew with everything that comes. */
  function awaitMore(): void {
    clearTimeout(silence);
    silence = pending.size === 0 ? undefined : setTimeout(() => fail('does not answer in time'), timeoutMs);
  }

  function settle(id: string, result: MessageResponse): void {
    const { resolve, entries, references } = pending.get(id) ?? {};
    // Number 0 is that of what nobody asked for: the server says that it closes the connection (RFC 4511 section 4.4.1).
    if (resolve === undefined) {
      fail('ends the connection');
      return;
    }
    pending.delete(id);
    requests.delete(id);
    resolve({ result, entries: entries ?? [], references: references ?? [] });
  }

  parser.on('message', (message) => {
    const id = String(message.messageId);
    if (message instanceof SearchEntry) pending.get(id)?.entries.push(message);
    else if (message instanceof SearchReference) pending.get(id)?.references.push(...message.uris);
    else settle(id, message);
  });
  parser.on('error', (cause) => fail('answers with something that is no LDAP', cause));

  const onData = (data: Buffer): void => {
    try {
      for (const frame of frames.take(data)) parser.read(frame, requests);
    } catch (thrown) {
      fail('answers with something that is no LDAP', thrown);
    }
    awaitMore();
  };
  const onError = (cause: Error): void => fail('breaks off the connection', cause);
  const onClose = (): void => fail('ends the connection');
  socket.on('data', onData).on('error', onError).on('close', onClose);

  return {
    end,
    send: (create) =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(ended);
          return;
        }
        last += 1;
        const request = create(last);
        pending.set(String(last), { request, entries: [], references: [], resolve, reject });
        requests.set(String(last), { message: request });
        socket.write(request.write());
        awaitMore();
      }),
    tell: (create) => {
      last += 1;
      if (ended === null) socket.write(create(last).write());
    },
    release: () => {
      if (ended !== null) throw ended;
      if (pending.size > 0 || !frames.isEmpty()) fail('answers before it was asked');
      if (ended !== null) throw ended;
      clearTimeout(silence);
      ended = new SyncError('ReadFailed', 'the connection was given away');
      socket.off('data', onData).off('error', onError).off('close', onClose);
      return socket;
    },
  };
}
