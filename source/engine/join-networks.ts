import {formatAddress} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import type {InviteLink} from '../core/invite-link.ts';
import {createIndexClient, type IndexClientOptions} from '../index/client.ts';
import type {Memberships} from '../net/memberships.ts';

/**
 * Joins the networks that invite links name, before anything is shared or listened to. A network that was joined before
 * is met later when its server cannot be reached now.
 *
 * @throws P2pError bad-invite, not-a-member, identity-changed; unreachable for a network that was not joined yet
 */
export async function joinNetworks(
	invites: InviteLink[],
	options: Omit<IndexClientOptions, 'address'> & {memberships: Memberships},
): Promise<void> {
	for (const invite of invites) {
		const address = formatAddress(invite);
		try {
			await createIndexClient({...options, address}).info();
		} catch (error) {
			const isAway = error instanceof P2pError && ['unreachable', 'timeout'].includes(error.code);
			if (!isAway || !options.memberships.networks.some(network => network.address === address)) throw error;
		}
	}
}
