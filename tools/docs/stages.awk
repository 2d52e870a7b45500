# Shares of the stages of an action from folded stacks: the innermost frame that one of the patterns knows decides.
# Set cpu, the server's processor time an action in microseconds, and thresholds, the path of thresholds.json.
function stage(name, pattern, suite) {
    title[++stages] = name
    pattern_of[stages] = pattern
    suite_of[stages] = suite
}
BEGIN {
    stage("read from sockets", "sys_recv|Socket.receive|ReceivedBytes", "")
    stage("decode lines into the batch", "RequestDecoder|simdjson|TimeText|DecimalText|ServerBatch.add", "decode-plain")
    stage("identity: ids, performers, uplines", "Step.search|Step.finish|Step.resolve|Step.climb|Step.perform|IdSearch|RecentKeys|World.recallSealedIds|World.readActions|World.prepare|World.prefetch|TagIndex|ExternalId|IdTable|ByteArena|IdGeneration|World.lookUp|Workspace.shape|Uplines", "apply")
    stage("evaluate plans", "Step.evaluate|World.applyActions|World.mustGoOneByOne|World.mayInterfere|World.finish|ActiveShape|RewardFormula|Condition|PayOperation|Machine", "apply")
    stage("book into wallets", "Step.receive|WalletShard|World.settle|Step.applyChanges", "apply")
    stage("order the boards", "Standing|ScoreIndex|RankTree|RankSorter|RankBlocks|Board|SideWork|SideThread", "apply")
    stage("encode replies", "ReplyEncoder|BatchReplies|ServerBatch.applied|JSONWriter", "reply-each")
    stage("history of postings", "History|OpenBlock|PostingBlock", "log-history")
    stage("append to the log", "WriteAheadLog.append|WriteAheadLog.write|WriteAheadLog.makeRoom|WriteAheadLog.roll", "")
    stage("sync the log", "fdatasync|sys_fsync", "")
    stage("hand-over between threads", "futex|pthread_cond|pthread_mutex|Monitor|Journal", "")
    stage("send replies", "Server.send|Server.deliver|sys_sendto|Connection.put|Connection.flush|Socket.flush|UnsentBytes", "")
    stage("event loop: connections, waiting", "EventLoop|epoll|Connection|Intake|Server|Listener|eventfd", "")
    stage("beside: archives, snapshots, memory touched ahead", "BatchLog.archive|ArchiveWriter|MemoryKeeper|StateMemory.prepare|SnapshotTaker|SnapshotWriter|WorldImage", "")
    stage("the rest", "", "")
    while ((getline line <thresholds) > 0)
        if (match(line, /"[a-z0-9-]+": \{/)) {
            name = substr(line, RSTART + 1)
            sub(/".*/, "", name)
            if (match(line, /"instructions": [0-9]+/)) instructions[name] = substr(line, RSTART + 16, RLENGTH - 16) + 0
        }
}
{
    count = $NF
    sub(/ [0-9]+$/, "")
    n = split($0, frame, ";")
    found = 0
    if (frame[1] == "archiver" || frame[1] == "memory" || frame[1] ~ /^snapshot/) found = stages - 1
    for (i = n; i > 1 && !found; i--) {
        if (frame[i] in known) { found = known[frame[i]]; continue }
        for (s = 1; s < stages && !found; s++) if (frame[i] ~ pattern_of[s]) found = s
        known[frame[i]] = found
    }
    if (!found) found = stages
    samples[found] += count
    all += count
}
END {
    printf "| stage | share | ns | instructions |\n| --- | ---: | ---: | ---: |\n"
    for (s = 1; s <= stages; s++) {
        text = ""
        if (suite_of[s] == "apply") {
            if (!applied++) text = grouped(instructions["apply-actions"]) " (these four)"
        } else if (suite_of[s] != "") text = grouped(instructions[suite_of[s]])
        printf "| %s | %.1f %% | %.0f | %s |\n", title[s], samples[s] * 100 / all, samples[s] * cpu * 1000 / all, text
    }
    printf "| **all** | 100 %% | %.0f | |\n", cpu * 1000
}
function grouped(number,    text, out) {
    text = sprintf("%.0f", number)
    while (length(text) > 3) {
        out = "," substr(text, length(text) - 2) out
        text = substr(text, 1, length(text) - 3)
    }
    return text out
}
