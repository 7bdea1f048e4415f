// What the client library and Redis say when something is wrong, in our terms.
import {P2pError, systemCode} from '../../core/errors.ts';
import {describePlace, type RedisPlace} from './redis-url.ts';

/** Answers of a node that pass: slots move, a replica takes over, a node starts. */
const passing =
	/^(CLUSTERDOWN|LOADING|TRYAGAIN|READONLY|MASTERDOWN|MOVED|ASK|UNBLOCKED|BUSY)\b|attempted to access a non local key/;
/** What the library says when a connection or its view of the nodes is gone. */
const lost =
	/Socket (closed|timeout)|client is (closed|offline)|Connection timeout|None of the root nodes|Cannot find node|Cluster closed|Cannot read properties of undefined|Disconnects client|Too many cluster redirections|The command was aborted/i;
const lostNames = new Set([
	'ClientOfflineError',
	'ClientClosedError',
	'DisconnectsClientError',
	'SocketClosedUnexpectedlyError',
	'SocketTimeoutError',
	'ConnectionTimeoutError',
	'RootNodesUnavailableError',
	'MaxCommandRedirectionsError',
	'AbortError',
	'TimeoutError',
]);

/** Whether another try may go through. */
export function isTransient(error: unknown): boolean {
	return isLoss(error) || passing.test(messageOf(error));
}

/** Whether it is time to look anew who holds what. */
export function isLoss(error: unknown): boolean {
	if (error instanceof P2pError) return error.code === 'unreachable';
	if (!(error instanceof Error)) return false;
	if (systemCode(error) !== undefined || lostNames.has(error.constructor.name)) return true;
	return lost.test(error.message) || /^(CLUSTERDOWN|READONLY|MASTERDOWN)\b/.test(error.message);
}

/** The most telling of what went wrong at each node, when none could be used. */
export function openingError(failures: unknown[], place: RedisPlace): P2pError {
	const where = describePlace(place);
	const known = failures.find(failure => failure instanceof P2pError);
	if (known) return known as P2pError;
	const [first] = failures;
	const texts = failures.map(messageOf);
	const said = (pattern: RegExp) => texts.some(text => pattern.test(text));
	if (said(/WRONGPASS|invalid password|invalid username/i))
		return new P2pError('refused', `The Redis at ${where} refuses this user or password`, {
			hint: 'Write them URL-encoded: redis://USER:PASSWORD@HOST:PORT, or redis://:PASSWORD@HOST:PORT',
		});
	if (said(/NOAUTH|Authentication required/i))
		return new P2pError('refused', `The Redis at ${where} wants a password`, {
			hint: 'Write redis://:PASSWORD@HOST:PORT',
		});
	if (said(/AUTH.*without any password|no password is set/i))
		return new P2pError('refused', `The Redis at ${where} has no password, so it refuses one`, {
			hint: 'Leave the password out, or set requirepass',
		});
	if (said(/NOPERM/i))
		return new P2pError('refused', `The Redis at ${where} does not allow this user enough: ${texts[0]}`, {
			hint: 'The user needs all commands on all keys and channels',
		});
	if (said(/cluster support disabled/i))
		return new P2pError('usage', `The Redis at ${where} is not a cluster`, {
			hint: 'Set cluster-enabled yes and make a cluster, see docs/operations.md; for one machine leave --store out',
		});
	if (said(/wrong version number|packet length too long|SSL|TLS|certificate|self.signed/i))
		return new P2pError('unreachable', `No TLS connection to the Redis at ${where}: ${texts[0]}`, {
			hint: place.tls
				? 'Is it on TLS? For a certificate of your own authority set NODE_EXTRA_CA_CERTS=ca.crt'
				: 'Write rediss:// for TLS',
			cause: first,
		});
	return new P2pError('unreachable', `No Redis answers at ${where}: ${texts[0] ?? 'nothing listens there'}`, {
		hint: place.tls ? 'Does it run there, with TLS?' : 'Does it run there? With TLS, write rediss://',
		cause: first,
	});
}

function messageOf(error: unknown): string {
	if (error instanceof AggregateError && error.errors[0]) return messageOf(error.errors[0]);
	return error instanceof Error ? error.message || (systemCode(error) ?? error.name) : String(error);
}
