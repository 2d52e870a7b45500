import DequeModule
import GuerdonCore
import GuerdonWire
import Synchronization

/// One client: its lines on the way in, its replies on the way out.
///
/// It lives on the event loop. It keeps the bytes that do not yet make a line, counts what is unanswered and unsent, and stops
/// reading at the bound, so that TCP pushes back.
final class Connection: Watched, @unchecked Sendable {
    // Sendable: used on its event loop only, but for the atomic count of unsent bytes.
    let server: Server
    /// Set as long as the connection is there.
    private var socket: Socket?
    /// Received and not yet handed to a batch.
    private var pending = ReceivedBytes()
    /// Bytes at the front of `pending` known to hold no newline.
    private var scanned = 0
    var defaults = ConnectionDefaults()
    /// Commands handed over.
    var commandCount: UInt64 = 0
    /// Bytes of lines that are not answered yet, and of replies that are not sent yet.
    private var unanswered = 0
    private let unsent = Atomic<Int>(0)
    private var isSkippingLine = false
    private var skippedBytes = 0
    private var hasEnded = false
    /// Whether lines wait for room in a batch.
    private var isQueued = false
    private var runsUnderWay = 0
    /// Whether nothing is taken any more, and the connection goes when its replies are sent.
    private var isClosing = false
    private var hasClosedOutput = false
    /// Replies that come later, and what was written behind them.
    private var held: Deque<Held> = []
    private let isGone = Atomic(false)
    private var deadlines = Deadlines()
    /// Bytes given to the socket.
    private var written = 0

    init(server: Server) { self.server = server }

    /// Begins to read from a socket of its own.
    func open(_ descriptor: CInt) {
        socket = Socket(descriptor, on: server.loop, of: self)
        if socket != nil { server.connected(self) }
    }

    func ready(_ events: EventLoop.Interest) {
        if events.contains(.output) { flush() }
        if let socket, socket.isReading {
            if !events.isDisjoint(with: [.input, .failure]) { read(from: socket) }
        } else if !events.isDisjoint(with: .failure) {
            close()
        }
    }

    private func read(from socket: Socket) {
        switch socket.receive(into: &pending) {
        case .something: received()
        case .nothing: break
        case .end: inputEnded()
        case .failure: close()
        }
        pending.settle()
    }

    /// Takes bytes that have come.
    private func received() {
        if isClosing { return pending.removeAll() }
        if isSkippingLine, !skip() { return }
        handOver()
    }

    /// Drops bytes up to the end of a line that was too long.
    ///
    /// - Returns: whether the end was found, and something comes behind it.
    private func skip() -> Bool {
        guard let end = pending.bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            skippedBytes += pending.count
            pending.removeAll()
            if skippedBytes > server.limits.lineBytes * 16 { close() }
            return false
        }
        pending.removeFirst(end + 1)
        isSkippingLine = false
        deadlines.lineSince = nil
        return !pending.isEmpty
    }

    private func inputEnded() {
        hasEnded = true
        // There would be no end to being told so.
        socket?.setReading(false)
        // A last line may come without its newline.
        if !pending.isEmpty { pending.append(UInt8(ascii: "\n")) }
        handOver()
        closeWhenDone()
    }

    // MARK: In

    /// Puts whole lines into the open batch, as far as the bounds allow.
    func handOver() {
        guard !isClosing else { return pending.removeAll() }
        guard !pending.isEmpty else { return readMore() }
        guard !isQueued else { return readMore() }
        if server.hasQueue { return wait() }
        _ = tryBatch()
    }

    /// Hands over what had to wait.
    ///
    /// - Returns: whether there may be room for more, of others.
    func takeTurn() -> Bool {
        isQueued = false
        guard socket != nil, !isClosing, !pending.isEmpty else {
            readMore()
            return true
        }
        defer { pending.settle() }
        return tryBatch()
    }

    /// - Returns: whether there may be room for more, of others.
    private func tryBatch() -> Bool {
        let before = pending.count
        var added = Added.full
        let isDone = server.intake.withOpen { batch in
            added = self.add(to: batch)
            return added != .full && added != .shareTaken
        }
        server.offerLater()
        // Whoever had no turn at all keeps the place.
        if isDone { readMore() } else { wait(isFirst: pending.count == before) }
        return added != .full
    }

    private func wait(isFirst: Bool = false) {
        isQueued = true
        server.enqueue(self, isFirst: isFirst)
        readMore()
    }

    /// What became of the lines that are there.
    private enum Added {
        case all
        /// The rest waits until this connection got answers.
        case answersFirst
        /// The rest waits until others had their turns.
        case shareTaken
        /// The rest waits until there is room in a batch.
        case full
    }

    /// Decodes piece by piece: what a piece will cost in answers is known when it is decoded.
    private func add(to batch: ServerBatch) -> Added {
        // A flood leaves room for others.
        let share = batch.bytes + server.limits.batchBytes / 4
        while true {
            guard let end = endOfPiece() else { break }
            guard batch.bytes < server.limits.batchBytes, batch.commands.count < server.limits.batchCommands else {
                return .full
            }
            guard batch.bytes < share else { return .shareTaken }
            guard !isOverBound, defaults.awaited == nil else { return .answersFirst }
            let taken = take(UnsafeRawBufferPointer(rebasing: pending.bytes[..<end]), batch)
            pending.removeFirst(taken)
            deadlines.lineSince = nil
            scanned = max(0, scanned - taken)
        }
        scanned = pending.count
        // Two more than the bound: the line's end may be a carriage return whose line feed is still to come.
        if scanned > server.limits.lineBytes + 1 { refuseLongLine(batch) }
        return .all
    }

    /// Where the next piece of whole lines ends; `nil` when there is no whole line.
    private func endOfPiece() -> Int? {
        let all = pending.bytes
        let feed = UInt8(ascii: "\n")
        let piece = Connection.pieceBytes
        guard all.count > piece else { return all[scanned...].lastIndex(of: feed).map { $0 + 1 } }
        if let last = all[..<piece].lastIndex(of: feed) { return last + 1 }
        // A line may be longer than a piece.
        return all[max(scanned, piece)...].firstIndex(of: feed).map { $0 + 1 }
    }

    /// Bytes of lines that are decoded between two looks at the bounds.
    private static let pieceBytes = 32 << 10

    /// Returns how many bytes were taken: not all where a `hello` among them must be answered first.
    private func take(_ lines: UnsafeRawBufferPointer, _ batch: ServerBatch) -> Int {
        let (taken, charge, isNewRun) = batch.add(lines, from: self)
        unanswered += charge
        if isNewRun { runsUnderWay += 1 }
        return taken
    }

    /// Answers a line that has no end within the bound, and skips to its end.
    private func refuseLongLine(_ batch: ServerBatch) {
        // Any line of that length says the same to the decoder, and this one has nothing else wrong with it.
        var line = [UInt8](repeating: UInt8(ascii: "0"), count: scanned + 1 + ReceivedBytes.padding)
        line[scanned] = UInt8(ascii: "\n")
        line.withUnsafeBytes { _ = take(UnsafeRawBufferPointer(rebasing: $0[...scanned]), batch) }
        skippedBytes = scanned
        pending.removeAll()
        scanned = 0
        isSkippingLine = true
    }

    /// Whether so much is unanswered or unsent that lines have to wait; when the server stops, no more than is there comes.
    private var isOverBound: Bool {
        !server.isDraining && unanswered + unsent.load(ordering: .relaxed) >= server.limits.connectionBytes
    }

    /// Whether there are lines that are in no batch yet.
    var hasLines: Bool { !isClosing && pending.count > scanned }

    /// Bytes of a connection that waits for room in a batch, from which on it is not read from.
    private static let waitingBytes = 16 << 10

    /// Asks for more, unless a bound holds the connection back.
    private func readMore() {
        guard !isClosing, !hasEnded else { return }
        // To stop and go on costs two system calls: who waits with little waits for a short time.
        let waitsWithMuch = isQueued && pending.count >= Connection.waitingBytes
        let isHeld = server.isDraining || isOverBound || defaults.awaited != nil || waitsWithMuch
        socket?.setReading(!isHeld)
    }

    // MARK: Out

    /// Writes the replies to lines that count for `charge` bytes; ``flush()`` sends them.
    func reply(_ replies: UnsafeRawBufferPointer, charge: Int) {
        unanswered -= charge
        runsUnderWay -= 1
        write(replies)
    }

    /// Adds bytes to what ``flush()`` sends.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard let socket, bytes.count > 0 else { return }
        unsent.add(bytes.count, ordering: .relaxed)
        if held.isEmpty { put(bytes, socket) } else { held.append(.bytes(Array(bytes))) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, _ socket: Socket) {
        socket.write(bytes)
        written += bytes.count
    }

    /// What waits behind a late reply, or is one.
    private enum Held {
        case bytes([UInt8])
        case late(PastJob)
    }

    /// Keeps the place of a reply that comes later; its line still counts as unanswered when its batch is replied to.
    func wait(for job: PastJob) {
        hold()
        unanswered += job.charge
        held.append(.late(job))
    }

    /// Writes a late reply in its place, with what waited for it.
    func answer(_ job: PastJob) {
        runsUnderWay -= 1
        unanswered -= job.charge
        unsent.add(job.reply.count, ordering: .relaxed)
        job.hasArrived = true
        while let socket, let first = held.first {
            switch first {
            case .bytes(let bytes): bytes.withUnsafeBytes { put($0, socket) }
            case .late(let job) where job.hasArrived: job.reply.withUnsafeBytes { put($0, socket) }
            case .late: return
            }
            held.removeFirst()
        }
    }

    /// Adds an event to what ``flush()`` sends.
    func write(_ event: Subscriptions.Event) {
        let sink = ByteSink(capacity: event.line.byteCount)
        defer { sink.deallocate() }
        event.line.write(subscription: event.number, sequence: event.sequence, to: sink)
        write(sink.bytes)
    }

    /// Sends everything written, in one go, as far as the client takes it, and takes the lines that waited for it.
    func flush() {
        if let socket {
            guard let sent = socket.flush() else { return close() }
            unsent.subtract(sent, ordering: .relaxed)
        }
        goOn()
    }

    /// Takes lines that waited for answers; closes when everything is done.
    private func goOn() {
        if pending.count > scanned, !isOverBound, !isQueued {
            handOver()
            pending.settle()
        } else {
            readMore()
        }
        closeWhenDone()
    }

    /// Keeps the connection open for an answer that comes later than its batch.
    func hold() { runsUnderWay += 1 }

    /// The late answer was sent.
    func letGo() {
        runsUnderWay -= 1
        closeWhenDone()
    }

    /// Sends bytes that answer nothing, such as events.
    func send(_ bytes: UnsafeRawBufferPointer) {
        write(bytes)
        flush()
    }

    /// Whether an event may be sent: a slow reader gets the newest state later.
    var takesEvents: Bool { unsent.load(ordering: .relaxed) == 0 }

    /// Whether the client has gone; may be asked on any thread.
    var hasGone: Bool { isGone.load(ordering: .relaxed) }

    /// Whether all replies are sent.
    var isAnswered: Bool { runsUnderWay == 0 && unsent.load(ordering: .relaxed) == 0 }

    private func closeWhenDone() {
        guard let socket, isAnswered else { return }
        if hasEnded, isClosing || pending.isEmpty {
            close()
        } else if isClosing, !hasClosedOutput {
            hasClosedOutput = true
            socket.endOutput()
        }
    }

    /// Closes once everything is sent and the client has closed as well.
    ///
    /// What still arrives is read and dropped: closing with unread bytes would reset the connection, and the client might
    /// lose replies that it has not read yet.
    func closeGracefully() {
        isClosing = true
        pending.removeAll()
        scanned = 0
        if !hasEnded { socket?.setReading(true) }
        closeWhenDone()
    }

    /// Closes at once, whatever is still to be sent.
    func close() {
        guard let socket else { return }
        socket.close()
        self.socket = nil
        held.removeAll()
        isGone.store(true, ordering: .relaxed)
        server.disconnected(self)
    }

    /// Stops reading for good; what was read is answered.
    func stopReading() { handOver() }

    // MARK: Deadlines

    /// Closes the connection when its client lets a line or a reply wait for too long.
    func checkDeadlines(_ now: ContinuousClock.Instant) {
        guard let socket else { return }
        // What waits behind a late reply was not given to the socket yet.
        let underWay = unsent.load(ordering: .relaxed) > 0 ? socket.bytesUnderWay : 0
        if deadlines.isStalled(underWay > 0, taken: written - underWay, now: now, limit: server.limits.replyTime) {
            return close()
        }
        guard !isClosing else {
            if deadlines.isDone(isAnswered, now: now) { close() }
            return
        }
        // What the server itself holds up is not the client's fault.
        let isUnfinished =
            socket.isReading && (isSkippingLine || !pending.isEmpty && pending.count == scanned)
        guard deadlines.isLineLate(isUnfinished, now: now, limit: server.limits.lineTime), isAnswered else { return }
        let sink = ByteSink(capacity: 256)
        defer { sink.deallocate() }
        ReplyEncoder(sink).refusal(id: UnsafeRawBufferPointer(start: nil, count: 0), server.limits.lateLine)
        send(sink.bytes)
        closeGracefully()
    }
}

extension ServerBatch {
    /// Decodes whole lines of a connection into this batch.
    ///
    /// - Returns: how many bytes were taken, what they count for while they are unanswered (their bytes and those of the
    ///   answers to be expected), and whether they made a new run.
    func add(
        _ lines: UnsafeRawBufferPointer, from connection: Connection
    ) -> (taken: Int, charge: Int, isNewRun: Bool) {
        let first = requests.rows.count
        let firstCold = requests.cold.count
        let firstPlain = requests.plainReads.count
        let taken = connection.server.decoder.decode(lines: lines, defaults: &connection.defaults, into: requests)
        let rows = requests.rows.elements[first...]
        var charge = taken + ServerBatch.replyBytes * rows.count
        for request in requests.cold[firstCold...] { charge += request.expectedBytes }
        for read in requests.plainReads.elements[firstPlain...] { charge += read.expectedBytes }
        let isNewRun = runs.last?.connection !== connection
        if isNewRun {
            runs.append(
                Run(
                    connection: connection, rows: first..<first, charge: 0, commandsBefore: connection.commandCount))
        }
        runs[runs.count - 1].rows = runs[runs.count - 1].rows.lowerBound..<requests.rows.count
        runs[runs.count - 1].charge += charge
        for row in rows where row.isCounted { connection.commandCount += 1 }
        bytes += charge
        return (taken, charge, isNewRun)
    }

    /// Bytes of a short reply.
    private static let replyBytes = 64
}

extension PlainRead {
    /// As for any ``Request``.
    var expectedBytes: Int {
        switch operation {
        case .rank, .top: 64 * Int(places)
        case .wallet, .member: 256
        case .ping: 0
        }
    }
}

extension Request {
    /// About how many bytes the answer has beyond a short reply: enough to keep answers from piling up.
    var expectedBytes: Int {
        switch self {
        case .read(let read):
            switch read.query {
            case .statement(_, _, let limit, _): 256 * limit
            case .downline(_, _, let limit): 48 * limit
            case .boardTop(_, let limit, _): 64 * limit
            case .boardRank(_, _, let around, _): 64 * around
            case .upline(_, let levels): 48 * levels
            case .member, .wallet, .explain, .stats: 256
            }
        case .subscribe, .refused: 256
        case .hello, .ping, .snapshot, .unsubscribe: 0
        }
    }
}
