import {createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate} from 'node:crypto';
import {chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import {diskError, P2pError} from '../core/errors.ts';
import {protectFolder} from '../core/private-folder.ts';
import {peerIdOfKey} from './peer-id.ts';

/** Who this process is on the network: one Ed25519 key pair, kept in its data folder. */
export type Identity = {
	/** The public key in hex: peer ID or server ID. */
	id: string;
	privateKey: KeyObject;
	/** PEM of the private key, for TLS. */
	keyPem: string;
	/** PEM of the self-signed certificate that carries the public key. */
	certificatePem: string;
};

/** The private key in a data folder. */
export const keyFile = 'identity.key';
const certificateFile = 'identity.crt';
/** A stored certificate with less life than this is made anew. */
const renewBefore = 30 * 24 * 3600 * 1000;

/**
 * The identity of a data folder; a new one is made there at the first start (key mode 0600, folder 0700).
 *
 * @throws P2pError bad-key when the key file is damaged or others can read it; unsafe-folder; not-writable
 */
export async function loadIdentity(folder: string): Promise<Identity> {
	const file = path.join(folder, keyFile);
	try {
		protectFolder(folder);
		const keyPem = readKey(file) ?? createKey(file);
		return await withCertificate(folder, keyPem, file);
	} catch (error) {
		throw diskError(error, `Cannot use the data folder ${folder}`);
	}
}

/** An identity that lives in memory only, for probes and tests. */
export async function temporaryIdentity(): Promise<Identity> {
	const {privateKey} = generateKeyPairSync('ed25519');
	const keyPem = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
	return {
		id: peerIdOfKey(createPublicKey(privateKey)),
		privateKey,
		keyPem,
		certificatePem: await newCertificate(privateKey),
	};
}

/** A new certificate; its maker is loaded here only, so that a start with a stored one does without that cost. */
async function newCertificate(privateKey: KeyObject): Promise<string> {
	const {makeCertificate} = await import('./certificate.ts');
	return makeCertificate(privateKey);
}

function readKey(file: string): string | undefined {
	let mode: number;
	try {
		mode = statSync(file).mode;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw error;
	}
	if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
		throw new P2pError('bad-key', `Others can read the key ${file}`, {hint: `Run: chmod 600 '${file}'`});
	}
	return readFileSync(file, 'utf8');
}

/** Writes a new key so that it is there whole or not at all, also when two processes start at once. */
function createKey(file: string): string {
	const {privateKey} = generateKeyPairSync('ed25519');
	const pem = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
	const temporary = `${file}.${process.pid}.new`;
	rmSync(temporary, {force: true});
	const handle = openSync(temporary, 'wx', 0o600);
	try {
		writeSync(handle, pem);
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
	try {
		linkSync(temporary, file);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(file, 'utf8');
		throw error;
	} finally {
		rmSync(temporary, {force: true});
	}
	return pem;
}

async function withCertificate(folder: string, keyPem: string, file: string): Promise<Identity> {
	let privateKey: KeyObject;
	try {
		privateKey = createPrivateKey(keyPem);
		if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
	} catch (cause) {
		throw new P2pError('bad-key', `The key ${file} is damaged`, {
			cause,
			hint: 'Restore it from a backup, or move it away to start under a new peer ID',
		});
	}
	const id = peerIdOfKey(createPublicKey(privateKey));
	const certificatePath = path.join(folder, certificateFile);
	let certificatePem = storedCertificate(certificatePath, id);
	if (!certificatePem) {
		certificatePem = await newCertificate(privateKey);
		await writeFileAtomic(certificatePath, certificatePem, {mode: 0o600});
		chmodSync(certificatePath, 0o600);
	}
	return {id, privateKey, keyPem, certificatePem};
}

function storedCertificate(file: string, id: string): string | undefined {
	try {
		const pem = readFileSync(file, 'utf8');
		const certificate = new X509Certificate(pem);
		const fresh = new Date(certificate.validTo).getTime() - Date.now() > renewBefore;
		return fresh && peerIdOfKey(certificate.publicKey) === id ? pem : undefined;
	} catch {
		return undefined;
	}
}
