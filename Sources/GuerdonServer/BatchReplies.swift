import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// Writes the replies of one applied batch, connection by connection, in the order of the requests.
struct BatchReplies {
    let batch: ServerBatch
    let world: World
    let server: Server
    private let out: ReplyEncoder
    private let requests: Requests
    private let now: Int64
    private let results: BatchResults
    private let names: WorldNames

    init(batch: ServerBatch, world: World, server: Server) {
        self.batch = batch
        self.world = world
        self.server = server
        out = ReplyEncoder(batch.replies, texts: batch.rewardTexts)
        requests = batch.requests
        now = max(world.time, server.now())
        results = BatchResults(batch.commands)
        names = WorldNames(world)
        batch.quickReplies.begin(world, now: now)
    }

    /// Replies to all rows of a run.
    ///
    /// - Parameters:
    ///   - command: index of the run's first command in the batch; moved behind its last one.
    ///   - line: likewise for the batch's reward lines.
    func encode(_ run: inout ServerBatch.Run, command: inout Int, line: inout Int) {
        var number = run.commandsBefore
        var acknowledged: UInt64?
        // Held once for all rows: each would have it counted again.
        let names = names
        for i in run.rows {
            let row = requests.rows[i]
            if row.isCounted { number += 1 }
            let id = requests.id(of: row)
            let isCumulative = row.ack == .cumulative
            switch row.kind {
            case .command:
                let index = command
                command += 1
                if isCumulative {
                    acknowledged = number
                    if results.outcomes[index].code == .none { continue }
                }
                out.outcome(
                    id: id, of: index, in: results, detail: row.ack == .detail, line: &line,
                    number: isCumulative ? number : nil, names: names)
            case .plainRead:
                let read = requests.plain(of: row)
                if !batch.quickReplies.answer(read, requests.names(of: read), id: id, into: out) {
                    answer(row, id, &run)
                }
            case .read: answer(row, id, &run)
            case .control: control(row, id, &run)
            case .refused:
                guard case .refused(let refusal)? = requests.cold(of: row) else { continue }
                if isCumulative, row.isCounted { acknowledged = number }
                out.refusal(id: id, refusal, number: isCumulative && row.isCounted ? number : nil)
            }
        }
        if let acknowledged { out.acknowledged(count: acknowledged, sequence: world.sequence) }
    }

    /// Answers any read, or has fetched what it needs.
    private func answer(_ row: RequestRow, _ id: UnsafeRawBufferPointer, _ run: inout ServerBatch.Run) {
        guard let request = requests.cold(of: row), case .read(let read) = request else { return }
        let past = out.answerFromMemory(
            read, id: id, from: world, now: now, counts: EventContent.counts(world, server))
        guard let past else { return }
        let job = PastJob(connection: run.connection, id: Array(id), charge: request.expectedBytes, read: past)
        run.late.append((batch.replies.count, job))
        fetch(job)
    }

    /// To be called when all runs are replied to.
    func end() {
        batch.quickReplies.end()
        batch.rewardTexts.forget()
    }

    private func fetch(_ job: PastJob) {
        server.intake.willFetch()
        server.pastReader.submit(job, log: world.log)
    }

    /// Answers a question of an earlier batch, or has more fetched for it.
    ///
    /// - Returns: whether it has its reply.
    func answer(_ job: PastJob) -> Bool {
        // Nobody waits for it any more.
        guard !job.connection.hasGone else { return false }
        let sink = ByteSink(capacity: 4096)
        defer { sink.deallocate() }
        let out = ReplyEncoder(sink)
        let isAnswered = job.id.withUnsafeBytes { id in
            if let failure = job.failure {
                out.refusal(id: id, ReplyEncoder.refusal(of: failure))
                return true
            }
            return out.answer(&job.read, id: id, from: world)
        }
        if isAnswered { job.reply = Array(sink.bytes) } else { fetch(job) }
        return isAnswered
    }

    private func control(_ row: RequestRow, _ id: UnsafeRawBufferPointer, _ run: inout ServerBatch.Run) {
        let connection = run.connection
        let sequence = world.sequence
        switch requests.cold(of: row) {
        case .hello(let hello)?:
            do throws(Refusal) {
                _ = try world.workspaceIndex(hello.workspace)
                out.hello(id: id, sequence: sequence, hello)
                run.acceptsHello = true
            } catch {
                out.refusal(id: id, error, number: nil)
                run.acceptsHello = false
            }
        case .subscribe(let subscription)?:
            do {
                try EventContent.check(subscription, world: world, now: now)
                guard
                    let number = server.subscriptions.add(
                        subscription, of: connection, limit: server.limits.subscriptions)
                else {
                    throw Refusal(
                        .limitExceeded, "A connection has at most \(server.limits.subscriptions) subscriptions.")
                }
                out.subscribed(id: id, sequence: sequence, subscription: number)
            } catch { out.refusal(id: id, ReplyEncoder.refusal(of: error), number: nil) }
        case .unsubscribe(let number)?:
            if server.subscriptions.remove(number, of: connection) {
                out.done(id: id, sequence: sequence)
            } else {
                out.refusal(
                    id: id,
                    Refusal(.badRequest, field: "subscription", "This connection has no subscription \(number)."),
                    number: nil)
            }
        case .snapshot?: batch.snapshots.append((connection, Array(id)))
        default: out.done(id: id, sequence: sequence)
        }
    }
}
