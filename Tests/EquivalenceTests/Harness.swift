import GuerdonCore
import GuerdonModel
import GuerdonWire
import TestSupport
import Testing

/// Runs wire lines through decoder, core and reply encoder, without sockets and disks.
///
/// Keeps the whole log in memory, so that reversals and statements can look back and a replay can be made.
final class Harness: LogSource, @unchecked Sendable {
    // Sendable: used by one test at a time.
    private(set) var log: [CommandBatch] = []
    private var history: [Posting] = []
    private(set) var world: World!
    private let decoder = RequestDecoder()
    private var defaults = ConnectionDefaults()

    private let seed: UInt64
    /// External ids that stay in memory; `nil` for all.
    private let idsPerGeneration: Int?
    let sealed: SealedRuns

    init(shards: Int, seed: UInt64 = 7, idsPerGeneration: Int? = nil, side: (any SideRunner)? = nil) {
        self.seed = seed
        self.idsPerGeneration = idsPerGeneration
        sealed = SealedRuns(delaySeed: seed)
        defaults.ack = .detail
        world = World(
            shards: shards, seed: BitHash.Seed(seed, 2, 3, 4), side: side, log: self,
            idsPerGeneration: idsPerGeneration ?? (1 << 31) - 1)
    }

    func findSealed(_ questions: inout [SealedIdQuestion]) throws { sealed.answer(&questions) }

    struct Missing: Error {}

    func command(at sequence: UInt64) throws -> PastCommand {
        guard let batch = log.last(where: { $0.firstSequence <= sequence }) else { throw Missing() }
        var source = ByteSource(batch.body.bytes)
        var shape = ActionShape()
        for _ in batch.firstSequence..<sequence { _ = try CommandCoding.decode(&source, shape: &shape) }
        return PastCommand(command: try CommandCoding.decode(&source, shape: &shape), time: batch.time)
    }

    func postings(at sequence: UInt64) throws -> [Posting] { history.filter { $0.sequence == sequence } }

    /// One batch of lines at a time; the replies in order, and whether each line was refused before it was logged.
    func handle(_ lines: [String], at time: Int64) throws -> [(text: String, isUnlogged: Bool)] {
        let requests = Requests()
        let text = Array(lines.joined(separator: "\n").utf8)
        text.withUnsafeBytes { _ = decoder.decode(lines: $0, defaults: &defaults, into: requests) }
        let now = max(time, world.time)
        if requests.commands.count > 0, let due = world.nextExpiry(), due <= now {
            let tick = CommandBatch()
            tick.append(.tick)
            try apply(tick, now)
        }
        if requests.commands.count > 0 { try apply(requests.commands, now) }
        let unlogged = requests.rows.elements.map { $0.kind == .refused }
        return zip(try replies(requests, now: now), unlogged).map { ($0, $1) }
    }

    private func apply(_ batch: CommandBatch, _ time: Int64) throws {
        batch.firstSequence = world.sequence + 1
        batch.time = time
        try world.apply(batch)
        if idsPerGeneration != nil { sealed.exchange(with: world) }
        log.append(batch)
        history.append(contentsOf: world.postings.elements)
    }

    /// A harness that goes on where another one stands: its state from a snapshot, its log and history as they are.
    ///
    /// The hash seed stays: a data directory has one for life, and the keys of external ids in its snapshots depend on it.
    ///
    /// - Parameter change: what is done to the pieces on their way; for damage that no checksum tells.
    convenience init(
        continuing other: Harness, shards: Int, side: (any SideRunner)? = nil,
        changing change: (inout [(section: UInt32, bytes: [UInt8])]) -> Void = { _ in }
    ) throws {
        self.init(shards: shards, seed: other.seed, idsPerGeneration: other.idsPerGeneration, side: side)
        let image = other.world.image()
        var pieces = try image.write(to: Pieces()).all
        other.world.release(image)
        var loader = WorldLoader(into: world)
        change(&pieces)
        for piece in pieces { try piece.bytes.withUnsafeBytes { try loader.read(section: piece.section, $0) } }
        try loader.finish()
        try sealed.load(loader, from: other.sealed, into: world)
        log = other.log
        history = other.history
    }

    /// Keeps the pieces of a state, as a snapshot does.
    private struct Pieces: StateSink {
        var all: [(section: UInt32, bytes: [UInt8])] = []
        mutating func write(section: UInt32, _ bytes: UnsafeRawBufferPointer) { all.append((section, Array(bytes))) }
    }

    /// Applies a batch of another harness's log.
    func replay(_ batch: CommandBatch) throws {
        let copy = CommandBatch()
        copy.body.write(batch.body.bytes)
        copy.count = batch.count
        try apply(copy, batch.time)
    }

    /// A harness with the log of another one, which was replayed as a server that starts does it.
    ///
    /// - Parameters:
    ///   - runner: works beside the replay.
    ///   - ownActions: see ``World/beginReplay(_:ownActions:)``.
    ///   - chance: decides which batches' postings are known already, and where the replay is interrupted; `nil` for all and
    ///     nowhere.
    convenience init(
        recovering other: Harness, beside runner: any SideRunner, ownActions: Int = 10, chance: SplitMix64? = nil
    ) throws {
        self.init(shards: 1, seed: other.seed, idsPerGeneration: other.idsPerGeneration, side: Procrastinator())
        log = other.log
        history = other.history
        // One batch for all, as in a replay: what is booked late must not look into it.
        let batch = CommandBatch()
        var chance = chance
        func happens(once times: Int) -> Bool { chance.map { _ in chance!.below(times) == 0 } ?? false }
        world.beginReplay(runner, ownActions: ownActions)
        for logged in other.log {
            batch.reset()
            batch.body.write(logged.body.bytes)
            batch.count = logged.count
            batch.firstSequence = world.sequence + 1
            batch.time = logged.time
            batch.wantsPostings = happens(once: 8)
            try world.apply(batch)
            world.forgetBatch()
            if idsPerGeneration != nil { sealed.exchange(with: world) }
            if happens(once: 16) {
                world.endReplay()
                world.beginReplay(runner, ownActions: ownActions)
            }
        }
        world.endReplay()
    }

    /// Answers a question on the spot, as the log is at hand.
    func answer(_ read: PastRead) throws -> PastAnswer {
        var read = read
        while true {
            if let answer = try world.answer(&read) { return answer }
            try read.fetch(from: self)
        }
    }

    /// Writes the reply to a read on the spot.
    private func answer(_ read: ReadRequest, id: UnsafeRawBufferPointer, now: Int64, into out: ReplyEncoder) throws {
        guard var past = out.answerFromMemory(read, id: id, from: world, now: now, counts: []) else { return }
        repeat { try past.fetch(from: self) } while !out.answer(&past, id: id, from: world)
    }

    private func replies(_ requests: Requests, now: Int64) throws -> [String] {
        let sink = ByteSink()
        defer { sink.deallocate() }
        let out = ReplyEncoder(sink)
        let results = BatchResults(requests.commands)
        let names = WorldNames(world)
        let quick = QuickReplies()
        quick.begin(world, now: now)
        var line = 0
        var command = 0
        for row in requests.rows.elements {
            let id = requests.id(of: row)
            switch row.kind {
            case .command:
                out.outcome(id: id, of: command, in: results, detail: true, line: &line, names: names)
                command += 1
            case .refused:
                if case .refused(let refusal)? = requests.cold(of: row) { out.refusal(id: id, refusal) }
            case .plainRead:
                let read = requests.plain(of: row)
                let isAnswered = quick.answer(read, requests.names(of: read), id: id, into: out)
                if !isAnswered, case .read(let read)? = requests.cold(of: row) {
                    try answer(read, id: id, now: now, into: out)
                }
            case .read:
                if case .read(let read)? = requests.cold(of: row) {
                    try answer(read, id: id, now: now, into: out)
                }
            case .control: out.done(id: id, sequence: world.sequence)
            }
        }
        return String(decoding: sink.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// Compares a stream with the naive model; `nil` when all replies agree.
func firstDifference(
    _ steps: [StreamGenerator.Step], shards: Int, idsPerGeneration: Int? = nil
) throws -> String? {
    let harness = Harness(shards: shards, idsPerGeneration: idsPerGeneration)
    var model = Model()
    for step in steps {
        let replies = try harness.handle(step.lines, at: step.time)
        guard replies.count == step.lines.count else {
            return "\(step.lines.count) lines got \(replies.count) replies"
        }
        for (line, reply) in zip(step.lines, replies) {
            // A plan that is wrong in form takes no log position here; the model gives every wrong plan one. It is asked on a
            // copy then, and must refuse the plan as well.
            if reply.isUnlogged, reply.text.contains("\"field\":\"plan") {
                var probe = model
                let verdict = probe.handle(line, at: step.time, ack: true)
                if case .object(let fields) = verdict, fields["ok"] == .bool(false) { continue }
            }
            let expected = model.handle(line, at: step.time, ack: true)
            if let difference = ReplyComparison.difference(expected: expected, actual: reply.text) {
                return "\(line)\n  expected \(expected)\n  got      \(reply.text)\n  \(difference)"
            }
        }
    }
    return nil
}
