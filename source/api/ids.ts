import * as z from 'zod';

/** 32 bytes as 64 lower-case hex digits. */
const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** A peer's Ed25519 public key in hex. */
export const peerIdSchema = hex32;
/** A BEP 52 file root in hex. */
export const contentIdSchema = hex32;
/** A catalog's epoch: 16 random bytes in hex. */
export const epochSchema = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits');
