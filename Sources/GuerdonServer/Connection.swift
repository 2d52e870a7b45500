import GuerdonCore
import GuerdonWire
import NIOCore
import Synchronization

/// One client: its lines on the way in, its replies on the way out.
///
/// A channel handler that lives on the event loop. It keeps the bytes that do not yet make a line, counts what is
/// unanswered and unsent, and stops reading at the bound, so that TCP pushes back.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
    // Sendable: used on its event loop only, but for the atomic count of unsent bytes.
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let server: Server
    private var context: ChannelHandlerContext?
    /// Received and not yet handed to a batch.
    private var pending = ByteBuffer()
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
    private var isReading = true
    /// Whether lines wait for room in a batch.
    private var isQueued = false
    private var runsUnderWay = 0
    /// Whether nothing is taken any more, and the connection goes when its replies are sent.
    private var isClosing = false
    private var hasClosedOutput = false
    /// Written since the last flush.
    private var output: ByteBuffer?
    /// Replies that come later, and what was written behind them.
    private var held = CircularBuffer<Held>()
    private let isGone = Atomic(false)
    private var deadlines = Deadlines()
    /// Bytes given to the channel.
    private var written = 0

    init(server: Server) { self.server = server }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        server.connected(self)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var bytes = unwrapInboundIn(data)
        if isSkippingLine, !skip(&bytes) { return }
        if pending.readableBytes == 0 {
            pending = bytes
            scanned = 0
        } else {
            pending.writeBuffer(&bytes)
        }
    }

    /// Drops bytes up to the end of a line that was too long.
    ///
    /// - Returns: whether the end was found.
    private func skip(_ bytes: inout ByteBuffer) -> Bool {
        guard let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            skippedBytes += bytes.readableBytes
            if skippedBytes > server.limits.lineBytes * 16 { context?.close(promise: nil) }
            return false
        }
        bytes.moveReaderIndex(to: end + 1)
        isSkippingLine = false
        deadlines.lineSince = nil
        return bytes.readableBytes > 0
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        handOver()
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            hasEnded = true
            // A last line may come without its newline.
            if pending.readableBytes > 0 { pending.writeInteger(UInt8(ascii: "\n")) }
            handOver()
            closeWhenDone()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        held.removeAll()
        isGone.store(true, ordering: .relaxed)
        server.disconnected(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: In

    /// Puts whole lines into the open batch, as far as the bounds allow.
    func handOver() {
        guard !isClosing else { return pending.clear() }
        guard pending.readableBytes > 0 else { return readMore() }
        guard !isQueued else { return readMore() }
        if server.hasQueue { return wait() }
        _ = tryBatch()
    }

    /// Hands over what had to wait.
    ///
    /// - Returns: whether there may be room for more, of others.
    func takeTurn() -> Bool {
        isQueued = false
        guard context != nil, !isClosing, pending.readableBytes > 0 else {
            readMore()
            return true
        }
        return tryBatch()
    }

    /// - Returns: whether there may be room for more, of others.
    private func tryBatch() -> Bool {
        let before = pending.readableBytes
        var added = Added.full
        let isDone = server.intake.withOpen { batch in
            added = self.add(to: batch)
            return added != .full && added != .shareTaken
        }
        server.offerLater()
        // Whoever had no turn at all keeps the place.
        if isDone { readMore() } else { wait(isFirst: pending.readableBytes == before) }
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
        // Bytes behind the last line are read by simdjson, though not looked at.
        pending.reserveCapacity(minimumWritableBytes: 64)
        // A flood leaves room for others.
        let share = batch.bytes + server.limits.batchBytes / 4
        while true {
            guard let end = endOfPiece() else { break }
            guard batch.bytes < server.limits.batchBytes, batch.commands.count < server.limits.batchCommands else {
                return .full
            }
            guard batch.bytes < share else { return .shareTaken }
            guard !isOverBound, defaults.awaited == nil else { return .answersFirst }
            let taken = pending.withUnsafeReadableBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<end]), batch) }
            pending.moveReaderIndex(forwardBy: taken)
            deadlines.lineSince = nil
            scanned = max(0, scanned - taken)
        }
        scanned = pending.readableBytes
        // Two more than the bound: the line's end may be a carriage return whose line feed is still to come.
        if scanned > server.limits.lineBytes + 1 { refuseLongLine(batch) }
        pending.discardReadBytes()
        return .all
    }

    /// Where the next piece of whole lines ends; `nil` when there is no whole line.
    private func endOfPiece() -> Int? {
        pending.withUnsafeReadableBytes { all in
            let feed = UInt8(ascii: "\n")
            let piece = Connection.pieceBytes
            if all.count > piece, let last = all[..<piece].lastIndex(of: feed) { return last + 1 }
            // A line may be longer than a piece.
            let from = max(scanned, all.count > piece ? piece : 0)
            if all.count > piece { return all[from...].firstIndex(of: feed).map { $0 + 1 } }
            return all[scanned...].lastIndex(of: feed).map { $0 + 1 }
        }
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
        var line = ByteBuffer(repeating: UInt8(ascii: "0"), count: scanned)
        line.writeInteger(UInt8(ascii: "\n"))
        line.reserveCapacity(minimumWritableBytes: 64)
        _ = line.withUnsafeReadableBytes { take($0, batch) }
        skippedBytes = scanned
        pending.clear()
        scanned = 0
        isSkippingLine = true
    }

    /// Whether so much is unanswered or unsent that lines have to wait; when the server stops, no more than is there comes.
    private var isOverBound: Bool {
        !server.isDraining && unanswered + unsent.load(ordering: .relaxed) >= server.limits.connectionBytes
    }

    /// Whether there are lines that are in no batch yet.
    var hasLines: Bool { !isClosing && pending.readableBytes > scanned }

    /// Bytes of a connection that waits for room in a batch, from which on it is not read from.
    private static let waitingBytes = 16 << 10

    /// Asks for more, unless a bound holds the connection back.
    private func readMore() {
        guard !isClosing, !hasEnded else { return }
        // To stop and go on costs two system calls: who waits with little waits for a short time.
        let waitsWithMuch = isQueued && pending.readableBytes >= Connection.waitingBytes
        let held = server.isDraining || isOverBound || defaults.awaited != nil || waitsWithMuch
        if held == isReading, let channel = context?.channel {
            isReading = !held
            channel.setOption(.autoRead, value: !held).whenFailure { _ in }
        }
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
        guard context != nil, bytes.count > 0 else { return }
        unsent.add(bytes.count, ordering: .relaxed)
        if held.isEmpty { put(bytes) } else { held.append(.bytes(Array(bytes))) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) {
        guard let context else { return }
        if output == nil { output = context.channel.allocator.buffer(capacity: bytes.count) }
        output?.writeBytes(bytes)
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
        while let first = held.first {
            switch first {
            case .bytes(let bytes): bytes.withUnsafeBytes { put($0) }
            case .late(let job) where job.hasArrived: job.reply.withUnsafeBytes { put($0) }
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

    /// Sends everything written, in one go, and takes the lines that waited for it.
    func flush() {
        if let context, let output {
            self.output = nil
            let count = output.readableBytes
            written += count
            context.writeAndFlush(wrapOutboundOut(output)).whenComplete { _ in
                self.unsent.subtract(count, ordering: .relaxed)
                self.goOn()
            }
        }
        goOn()
    }

    /// Takes lines that waited for answers; closes when everything is done.
    private func goOn() {
        if pending.readableBytes > scanned, !isOverBound, !isQueued {
            handOver()
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
        guard let context, isAnswered else { return }
        if hasEnded, isClosing || pending.readableBytes == 0 {
            context.close(promise: nil)
        } else if isClosing, !hasClosedOutput {
            hasClosedOutput = true
            context.close(mode: .output, promise: nil)
        }
    }

    /// Closes once everything is sent and the client has closed as well.
    ///
    /// What still arrives is read and dropped: closing with unread bytes would reset the connection, and the client might
    /// lose replies that it has not read yet.
    func closeGracefully() {
        isClosing = true
        pending.clear()
        scanned = 0
        if !isReading, let channel = context?.channel {
            isReading = true
            channel.setOption(.autoRead, value: true).whenFailure { _ in }
        }
        closeWhenDone()
    }

    func close() { context?.close(promise: nil) }

    /// Stops reading for good; what was read is answered.
    func stopReading() { handOver() }

    // MARK: Deadlines

    /// Closes the connection when its client lets a line or a reply wait for too long.
    func checkDeadlines(_ now: NIODeadline) {
        guard let context else { return }
        // What waits behind a late reply was not given to the channel yet.
        let underWay = unsent.load(ordering: .relaxed) > 0 ? context.channel.bytesUnderWay : 0
        if deadlines.isStalled(underWay > 0, taken: written - underWay, now: now, limit: server.limits.replyTime) {
            return close()
        }
        guard !isClosing else {
            if deadlines.isDone(isAnswered, now: now) { close() }
            return
        }
        // What the server itself holds up is not the client's fault.
        let isUnfinished =
            isReading && (isSkippingLine || pending.readableBytes > 0 && pending.readableBytes == scanned)
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
