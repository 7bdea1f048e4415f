/** What `p2p-tui --help` prints below the description. */
export const helpText = `
  Usage
    $ p2p-tui                              start menu: run a server, run a peer, try the demo
    $ p2p-tui --mode server [options]      run an index server
    $ p2p-tui --mode peer   [options]      share, search, download
    $ p2p-tui search <query…>              what matches, and who holds it
    $ p2p-tui get <link|content ID|query>  download, verify, exit
    $ p2p-tui get <folder> --from PEER     download a folder, its path as ls prints it
    $ p2p-tui peers                        the registered peers
    $ p2p-tui ls <peer> [path]             what a peer shares
    $ p2p-tui servers                      index servers that announce themselves on this network
    $ p2p-tui trust <HOST[:PORT]> [ID]     accept the key that a server shows now
    $ p2p-tui block [peer]                 send a peer nothing any more; unblock takes it back
    $ p2p-tui share [dir] [--for PEER,…]   whom a shared folder is for; --for everyone, --for nobody
    $ p2p-tui id [--mode server]           the ID of this data folder; --export FILE, --import FILE move the key
    $ p2p-tui invite                       on a private server's machine: a link that lets somebody in;
                                           --uses N (1), --expires 7d, --withdraw ID, --no-qr
    $ p2p-tui invites                      the invites; members: who is in; remove <peer>: shut one out
    $ p2p-tui leave <HOST[:PORT]>          forget a private network that this peer is a member of
    $ p2p-tui hash <file…>                 print content IDs (BitTorrent v2 file roots)
    $ p2p-tui backup <file>                copy the index of this machine's server, also while it runs
    $ p2p-tui migrate --from A --to B      move an index between an SQLite file and a Redis Cluster
    $ p2p-tui demo                         a server and two peers on this machine

  Options
    --mode server|peer
    --host ADDRESS       listen address; 0 means localhost. Default: all interfaces
    --port N             listen port. Default: server 45000, peer 25000; 0 lets the system choose
    --server ADDRESS     index server as HOST, HOST:PORT or an invite link; 0 means localhost. Repeatable
    --share DIR          folder to share. Repeatable
    --downloads DIR      where finished files go. Default: ./downloads
    --name NAME          nickname. Default: the host name
    --data-dir DIR       identity, database, logs. Default: the platform's data folder
    --dht                no server: find peers by a distributed hash table; goes beside --server as well
    --network NAME       with --dht: only peers that say the same name
    --bootstrap HOST[:PORT]  with --dht: a node to start from, where the local network has none. Repeatable
    --from PEER          only from this peer (number, ID or its start, nickname). Repeatable (get)
    --prefix TEXT        put before the name of a finished download. Default: downloaded_ ; '' for none
    --limit-down RATE    bytes per second of all downloads, such as 5M or 500K. Also --limit-up
    --running N          downloads at once. Default: 4. --slots N: peers to send to at once. Default: 8
    --private            a server's network is for members only from now on. --open: for everybody again
    --no-announce        a server does not tell the local network that it is there (mDNS)
    --max-files-per-peer N  a server's limit. Default: 5000000
    --retention-days N   days until a server forgets a peer that is not seen. Default: 30
    --store URL          keep a server's index in a Redis Cluster: redis://HOST:PORT[,HOST:PORT…]
    --export FILE        write the key, for a backup (id). --import FILE [--force]: install it
    --theme dark|light   colours of the screen. Default: the terminal's, else dark
    --ascii              draw with ASCII characters only
    --plain              lines and a prompt instead of drawn screens, as for a screen reader
    --no-mouse, --no-bell, --no-title, --no-notify
    --headless           print one line per event instead of drawing
    --json               print one JSON object per event
    --debug              stack traces
    --help, --version

  Queries
    words in any order, the last as typed · "a phrase" · -without · ext:flac · kind:audio
    size:>100MB · peer:alice · name:1.txt (exact). Put -- before a query with -without.

  Exit codes
    0 done · 1 failed · 2 wrong usage · 3 nothing found · 4 no source or server reached
    5 the bytes did not verify · 6 refused · 130 interrupted

  Examples
    $ p2p-tui --mode server
    $ p2p-tui --mode peer --server 0 --share testing_files
    $ p2p-tui get 1.txt --server 0 --json
`;
