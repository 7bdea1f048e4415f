// What has to happen at once, as Lua scripts that Redis runs as one step. The keys of each are in one slot. A log and
// the records of its peers change together, so that after a failover, which may lose the last writes of a master, both
// have lost the same: what a record says is in the log.
import {createHash} from 'node:crypto';

/** A script and the hash under which Redis knows it. */
export type Script = {text: string; hash: string};

function script(text: string): Script {
	return {text, hash: createHash('sha1').update(text).digest('hex')};
}

/**
 * A number that nobody has: KEYS counter; ARGV the highest number that the caller has seen, which repairs a counter that
 * a failover set back.
 */
export const takeNumber = script(`
local n = redis.call('INCR', KEYS[1])
local floor = tonumber(ARGV[1])
if n <= floor then n = floor + 1 redis.call('SET', KEYS[1], n) end
return n`);

/** Gives a number away that somebody has already: KEYS counter; ARGV the number. */
export const keepNumber = script(`
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`);

/**
 * Registers a peer or renews it: KEYS record, log; ARGV id, number for a new one or '', info as JSON, lineage, 1 to give
 * it the number although it has one. Returns number, epoch, version, and the log entry where something changed; or
 * nothing when it needs a number.
 */
export const registerPeer = script(`
local r = redis.call('HMGET', KEYS[1], 'number', 'info', 'gone', 'epoch', 'version', 'lineage')
local number = r[1]
if (not number or ARGV[5] == '1') then
  if ARGV[2] == '' then return {} end
  number = ARGV[2]
end
local entry = ''
if number ~= r[1] or r[2] ~= ARGV[3] or r[3] == '1' then
  redis.call('HSET', KEYS[1], 'number', number, 'info', ARGV[3], 'gone', '0')
  entry = redis.call('XADD', KEYS[2], '*', 'k', 'peer', 'i', ARGV[1], 'n', number, 'd', ARGV[3])
end
if r[6] ~= ARGV[4] or not r[4] then return {number, '', '', entry} end
return {number, r[4], r[5], entry}`);

/**
 * Begins an upload: KEYS record, log; ARGV id, token, epoch, from, to, lineage, milliseconds that it may rest.
 * Returns 'ok', mode, generation, number, log entry; or 'not-found', 'busy', or 'mismatch' with epoch and version.
 */
export const beginUpload = script(`
local r = redis.call('HMGET', KEYS[1], 'number', 'gone', 'epoch', 'version', 'lineage', 'upload', 'until', 'gen', 'info')
if not r[1] or r[2] == '1' then return {'not-found'} end
local epoch, version = r[3], r[4]
if r[5] ~= ARGV[6] then epoch = false end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if r[6] == ARGV[2] then return {'ok', redis.call('HGET', KEYS[1], 'mode'), r[8] or '0', r[1], ''} end
local mode
if epoch and epoch == ARGV[3] and version == ARGV[4] then mode = 'continue'
elseif ARGV[4] == '0' then mode = 'replace'
else return {'mismatch', epoch or '', version or ''} end
if r[6] and tonumber(r[7]) > now then return {'busy'} end
local gen = tonumber(r[8] or '0')
if mode == 'replace' then
  redis.call('HDEL', KEYS[1], 'epoch', 'version')
  gen = redis.call('HINCRBY', KEYS[1], 'gen', 1)
end
redis.call('HSET', KEYS[1], 'upload', ARGV[2], 'until', now + ARGV[7], 'mode', mode, 'batches', 0)
local entry = redis.call('XADD', KEYS[2], '*', 'k', 'begin', 'i', ARGV[1], 'n', r[1], 'd', r[9], 'u', ARGV[2], 'e', ARGV[3], 'f', ARGV[4], 't', ARGV[5], 'm', mode)
return {'ok', mode, tostring(gen), r[1], entry}`);

/**
 * A batch of an upload: KEYS record, log; ARGV id, token, batch, milliseconds, how many came before it. Returns the
 * entry; '-' when this one was there already; '' when the upload has ended, or a failover lost a part of it.
 */
export const addBatch = script(`
local r = redis.call('HMGET', KEYS[1], 'upload', 'batches')
if r[1] ~= ARGV[2] then return '' end
local behind = tonumber(r[2]) - tonumber(ARGV[5])
if behind == 1 then return '-' end
if behind ~= 0 then return '' end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[4], 'batches', ARGV[5] + 1)
return redis.call('XADD', KEYS[2], '*', 'k', 'batch', 'u', ARGV[2], 'd', ARGV[3])`);

/**
 * Ends an upload: KEYS record, log, dead rows; ARGV id, token, epoch, to, lineage, batches, rows that it put into the
 * registry of files, how many are dead by it. A new catalog ends the rows of the old one. Returns the entry; '-' when it had
 * ended so before, '' when something else ended it or a part of it was lost.
 */
export const endUpload = script(`
local r = redis.call('HMGET', KEYS[1], 'upload', 'epoch', 'version', 'mode', 'batches', 'gen', 'rows')
if r[1] ~= ARGV[2] then
  if r[2] == ARGV[3] and r[3] == ARGV[4] then return '-' end
  return ''
end
if r[5] ~= ARGV[6] then return '' end
local rows, dead = tonumber(r[7] or '0'), tonumber(ARGV[8])
if r[4] == 'replace' then
  dead = dead + rows
  rows = 0
  redis.call('HSET', KEYS[1], 'floor', r[6])
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'version', ARGV[4], 'lineage', ARGV[5], 'rows', rows + ARGV[7])
redis.call('HDEL', KEYS[1], 'upload', 'until', 'mode')
if dead > 0 then redis.call('HINCRBY', KEYS[3], ARGV[1], dead) end
return redis.call('XADD', KEYS[2], '*', 'k', 'end', 'i', ARGV[1], 'u', ARGV[2])`);

/** Gives an upload up: KEYS record, log; ARGV id, token, rows that it put into the registry. Returns the entry or ''. */
export const abandonUpload = script(`
if redis.call('HGET', KEYS[1], 'upload') ~= ARGV[2] then return '' end
redis.call('HDEL', KEYS[1], 'upload', 'until', 'mode')
redis.call('HINCRBY', KEYS[1], 'rows', ARGV[3])
return redis.call('XADD', KEYS[2], '*', 'k', 'abort', 'i', ARGV[1], 'u', ARGV[2])`);

/**
 * Keeps uploads of a peer away for a moment, if the catalog is the one that the caller has: KEYS record; ARGV token,
 * epoch, version, lineage, milliseconds, 1 to begin a new generation, 0 to go on with it. Returns 'ok', number and
 * generation; 'busy' while an upload runs or the version is another; 'gone' when the catalog is another.
 */
export const holdPeer = script(`
local r = redis.call('HMGET', KEYS[1], 'number', 'gone', 'epoch', 'version', 'lineage', 'upload', 'until', 'gen')
if not r[1] or r[2] == '1' or r[3] ~= ARGV[2] or r[5] ~= ARGV[4] then return {'gone'} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if r[6] and r[6] ~= ARGV[1] and tonumber(r[7]) > now then return {'busy'} end
if r[4] ~= ARGV[3] then return {'busy'} end
local gen = r[8] or '0'
if ARGV[6] == '1' then gen = tostring(redis.call('HINCRBY', KEYS[1], 'gen', 1)) end
redis.call('HSET', KEYS[1], 'upload', ARGV[1], 'until', now + ARGV[5])
return {'ok', r[1], gen}`);

/**
 * Lets uploads of a peer go on: KEYS record, dead rows; ARGV token, id, the rows that all its files were written in, '' when
 * some are still to come. All ends the rows that were written before. Returns 0 when the peer was held no longer, so that
 * what was just written may come after what an upload wrote, and must not count.
 */
export const releasePeer = script(`
local r = redis.call('HMGET', KEYS[1], 'upload', 'gen', 'rows')
if r[1] ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'upload', 'until')
if ARGV[3] == '' then return 1 end
redis.call('HSET', KEYS[1], 'floor', r[2], 'rows', ARGV[3])
redis.call('HINCRBY', KEYS[2], ARGV[2], math.max(1, tonumber(r[3] or '0')))
return 1`);

/**
 * Takes a peer out: KEYS record, log, dead rows; ARGV id. Its number stays. Returns the entry, '' when it was not there.
 */
export const removePeer = script(`
local r = redis.call('HMGET', KEYS[1], 'number', 'gone', 'rows')
if not r[1] or r[2] == '1' then return '' end
local gen = redis.call('HINCRBY', KEYS[1], 'gen', 1)
redis.call('HSET', KEYS[1], 'gone', '1', 'floor', gen)
redis.call('HDEL', KEYS[1], 'epoch', 'version', 'upload', 'until', 'mode', 'rows')
redis.call('HINCRBY', KEYS[3], ARGV[1], math.max(1, tonumber(r[3] or '0')))
return redis.call('XADD', KEYS[2], '*', 'k', 'leave', 'i', ARGV[1])`);

/**
 * Dead rows of a peer were taken out: KEYS dead rows; ARGV id, how many there were said to be when that began. What died
 * meanwhile stays to be taken out.
 */
export const buriedRows = script(`
if redis.call('HINCRBY', KEYS[1], ARGV[1], '-' .. ARGV[2]) <= 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1`);

/**
 * Counts a use of an invite: KEYS its uses; ARGV peer, how many it lets in, how many it has let in as far as the caller
 * knows, Unix milliseconds when it may be forgotten. Returns how many it has let in with this one, 0 when it has let in all.
 */
export const spendInvite = script(`
local n = math.max(tonumber(redis.call('HGET', KEYS[1], '#') or '0'), tonumber(ARGV[3]))
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return n end
if n >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], '#', n + 1, ARGV[1], 1)
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
return n + 1`);

/** Puts a peer on or off a server's board: KEYS board; ARGV id, since or ''. Returns how many changes the board has seen. */
export const markPresence = script(`
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return redis.call('HINCRBY', KEYS[1], '#', 1)`);

/**
 * Names the cluster at its first use: KEYS meta; ARGV format version, a fresh ID. Returns version, ID and lineage.
 */
export const nameCluster = script(`
redis.call('HSETNX', KEYS[1], 'format', ARGV[1])
redis.call('HSETNX', KEYS[1], 'id', ARGV[2])
redis.call('HSETNX', KEYS[1], 'lineage', '1')
return redis.call('HMGET', KEYS[1], 'format', 'id', 'lineage')`);

/**
 * Marks a cluster as one that an index is being moved into: KEYS meta; ARGV what is moved, '' for nothing. Returns what
 * is being moved; '-' when the cluster is in use and nothing is.
 */
export const checkMigration = script(`
local moving = redis.call('HGET', KEYS[1], 'migration')
if moving then return moving end
if ARGV[1] == '' then
  redis.call('HSET', KEYS[1], 'used', '1')
  return ''
end
if redis.call('HEXISTS', KEYS[1], 'used') == 1 then return '-' end
redis.call('HSET', KEYS[1], 'migration', ARGV[1], 'used', '1')
return ARGV[1]`);

/**
 * Whether the network is private, and under which key: KEYS meta; ARGV 1 or 0, server ID, 1 to change what was. Returns
 * what is so now.
 */
export const agreeOnPrivacy = script(`
if ARGV[3] == '1' then redis.call('HDEL', KEYS[1], 'private', 'key') end
redis.call('HSETNX', KEYS[1], 'private', ARGV[1])
if ARGV[1] == '1' then redis.call('HSETNX', KEYS[1], 'key', ARGV[2]) end
return redis.call('HMGET', KEYS[1], 'private', 'key')`);

/** Takes a claim that nobody has: KEYS claim; ARGV token, milliseconds. Returns 1 when it is the caller's, also the second time. */
export const takeClaim = script(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0`);

/** Prolongs a claim, if it is the caller's: KEYS claim; ARGV token, milliseconds. Returns 1, or 0 when it is not. */
export const renewClaim = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

/** Ends a claim, if it is the caller's: KEYS claim; ARGV token. Returns 1, or 0 when it is not. */
export const releaseClaim = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Begins a new lineage, unless somebody has: KEYS meta; ARGV the old one. Returns the present one. */
export const nextLineage = script(`
if redis.call('HGET', KEYS[1], 'lineage') == ARGV[1] then redis.call('HINCRBY', KEYS[1], 'lineage', 1) end
return redis.call('HGET', KEYS[1], 'lineage')`);

/**
 * Makes a peer send its catalog whole, and ends an upload that continues what is missing: KEYS record; ARGV the epoch of
 * which something is missing.
 */
export const forgetCatalog = script(`
local r = redis.call('HMGET', KEYS[1], 'epoch', 'mode')
if r[1] ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'epoch', 'version')
if r[2] == 'continue' then redis.call('HDEL', KEYS[1], 'upload', 'until', 'mode') end
return 1`);

/** Trims a log: KEYS log, mark; ARGV the first entry that stays. The mark tells whoever comes later what is gone. */
export const trimLog = script(`
redis.call('SET', KEYS[2], ARGV[1])
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])`);

/**
 * Chunks of a bucket in which a content is named, the newest first: KEYS list; ARGV content ID, how many.
 */
export const findContent = script(`
local found = {}
local last = redis.call('LLEN', KEYS[1]) - 1
while last >= 0 do
  local page = redis.call('LRANGE', KEYS[1], math.max(0, last - 31), last)
  for i = #page, 1, -1 do
    if string.find(page[i], ARGV[1], 1, true) then
      found[#found + 1] = page[i]
      if #found == tonumber(ARGV[2]) then return found end
    end
  end
  last = last - 32
end
return found`);

/**
 * Puts a bucket that was written anew in the place of the old one, with what came to it meanwhile: KEYS list, new one;
 * ARGV how many chunks of the old one were read, the last of them, how many chunks the new one must have, the token that
 * stands before them. Returns 1, or 0 when a failover changed either, or another server has begun it anew.
 */
export const replaceBucket = script(`
local read = tonumber(ARGV[1])
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[4] then return 0 end
if redis.call('LINDEX', KEYS[1], read - 1) ~= ARGV[2] or redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[3]) + 1 then
  redis.call('UNLINK', KEYS[2])
  return 0
end
redis.call('LPOP', KEYS[2])
for _, chunk in ipairs(redis.call('LRANGE', KEYS[1], read, -1)) do redis.call('RPUSH', KEYS[2], chunk) end
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end
return 1`);
