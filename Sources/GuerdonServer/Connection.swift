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
    private var batchesUnderWay = 0

    init(server: Server) { self.server = server }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        server.connected(self)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
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
        server.disconnected(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: In

    /// Puts all whole lines into the open batch.
    func handOver() {
        guard pending.readableBytes > 0 else { return readMore() }
        let result = server.intake.withOpen { batch in self.add(to: batch) }
        if result == nil || result == false { server.waiting.insert(ObjectIdentifier(self)) }
        readMore()
    }

    /// - Returns: `false` when lines are left over because the batch has no room for them.
    private func add(to batch: ServerBatch) -> Bool {
        guard batch.bytes < server.limits.batchBytes else { return false }
        // Bytes behind the last line are read by simdjson, though not looked at.
        pending.reserveCapacity(minimumWritableBytes: 64)
        var taken = 0
        var isRest = false
        pending.withUnsafeReadableBytes { all in
            guard let end = all[scanned...].lastIndex(of: UInt8(ascii: "\n")) else { return }
            var lines = UnsafeRawBufferPointer(rebasing: all[0...end])
            let share = server.limits.batchBytes / 4
            if lines.count > share {
                // A flood leaves room for others.
                let cut =
                    lines[..<share].lastIndex(of: UInt8(ascii: "\n"))
                    ?? lines[share...].firstIndex(of: UInt8(ascii: "\n")) ?? end
                lines = UnsafeRawBufferPointer(rebasing: all[0...cut])
                isRest = cut < end
            }
            take(lines, batch)
            taken = lines.count
        }
        pending.moveReaderIndex(forwardBy: taken)
        scanned = isRest ? 0 : pending.readableBytes
        if !isRest, pending.readableBytes > server.limits.lineBytes { refuseLongLine(batch) }
        if taken > 0 { pending.discardReadBytes() }
        return !isRest
    }

    private func take(_ lines: UnsafeRawBufferPointer, _ batch: ServerBatch) {
        batch.add(lines, from: self)
        unanswered += lines.count
        batchesUnderWay += 1
    }

    /// Answers a line that has no end within the bound, and skips to its end.
    private func refuseLongLine(_ batch: ServerBatch) {
        // Its beginning is enough for the decoder to see that it is too long.
        var start = pending
        if var line = start.readSlice(length: server.limits.lineBytes + 1) {
            line.writeInteger(UInt8(ascii: "\n"))
            line.reserveCapacity(minimumWritableBytes: 64)
            line.withUnsafeReadableBytes { take($0, batch) }
        }
        skippedBytes = pending.readableBytes
        pending.clear()
        scanned = 0
        isSkippingLine = true
    }

    /// Asks for more, unless a bound holds the connection back.
    private func readMore() {
        let held =
            unanswered + unsent.load(ordering: .relaxed) >= server.limits.connectionBytes
            || server.waiting.contains(ObjectIdentifier(self))
        if held == isReading, let channel = context?.channel {
            isReading = !held
            channel.setOption(.autoRead, value: !held).whenFailure { _ in }
        }
    }

    // MARK: Out

    /// Sends the replies to lines of `bytes` bytes.
    func reply(_ replies: UnsafeRawBufferPointer, to bytes: Int) {
        unanswered -= bytes
        batchesUnderWay -= 1
        send(replies)
        readMore()
        closeWhenDone()
    }

    /// Keeps the connection open for an answer that comes later than its batch.
    func hold() { batchesUnderWay += 1 }

    /// The late answer was sent.
    func letGo() {
        batchesUnderWay -= 1
        closeWhenDone()
    }

    /// Sends bytes that answer nothing, such as events.
    func send(_ bytes: UnsafeRawBufferPointer) {
        guard let context, bytes.count > 0 else { return }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        let count = bytes.count
        unsent.add(count, ordering: .relaxed)
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in
            self.unsent.subtract(count, ordering: .relaxed)
            self.readMore()
            self.closeWhenDone()
        }
    }

    /// Whether an event may be sent: a slow reader gets the newest state later.
    var takesEvents: Bool { unsent.load(ordering: .relaxed) == 0 }

    private func closeWhenDone() {
        if hasEnded, batchesUnderWay == 0, unsent.load(ordering: .relaxed) == 0, pending.readableBytes == 0 {
            context?.close(promise: nil)
        }
    }

    func close() { context?.close(promise: nil) }

    /// Stops reading for good; what was read is answered.
    func stopReading() {
        context?.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        isReading = false
    }
}

extension ServerBatch {
    /// Decodes whole lines of a connection into this batch.
    func add(_ lines: UnsafeRawBufferPointer, from connection: Connection) {
        let first = requests.rows.count
        connection.server.decoder.decode(lines: lines, defaults: &connection.defaults, into: requests)
        runs.append(
            Run(
                connection: connection, rows: first..<requests.rows.count, bytes: lines.count,
                commandsBefore: connection.commandCount))
        for i in first..<requests.rows.count where requests.rows[i].isCounted { connection.commandCount += 1 }
        bytes += lines.count
    }
}
