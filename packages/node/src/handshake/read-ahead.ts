import type { Duplex } from "node:stream";

/** What is kept of a peer that does not wait for the answer to its handshake, in bytes; the rest stays in the socket. */
const mostBytes = 65_536;

/**
 * Reads from a socket that nobody reads yet, which is the only way to hear that the peer has hung up.
 *
 * @param hungUp - Called when it has.
 * @returns Ends the reading, and returns what has arrived.
 */
export function readAhead(socket: Duplex, hungUp: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  const read = (): void => {
    for (let chunk = socket.read(); chunk !== null; chunk = size <= mostBytes ? socket.read() : null) {
      chunks.push(chunk);
      size += chunk.length;
    }
  };
  socket.on("readable", read);
  socket.once("end", hungUp);
  return () => {
    socket.off("readable", read);
    socket.off("end", hungUp);
    return Buffer.concat(chunks);
  };
}
