import Glibc

/// A client's TCP connection, on the event loop.
final class Socket {
    private let loop: EventLoop
    private let descriptor: CInt
    private var interest: EventLoop.Interest
    private var unsent = UnsentBytes()
    private(set) var isOpen = true

    /// What came of a look at what the client sent.
    enum Received {
        case something
        case nothing
        /// The client sends no more; it may still read.
        case end
        /// The connection is gone.
        case failure
    }

    /// Takes over a descriptor whose calls do not wait, and has `user` told when there is something to read; closes it when the
    /// system is out of what that takes.
    init?(_ descriptor: CInt, on loop: EventLoop, of user: any Watched) {
        self.loop = loop
        self.descriptor = descriptor
        interest = .input
        if !loop.add(descriptor, interest, user) { return nil }
    }

    deinit { if isOpen { Glibc.close(descriptor) } }

    /// Whether the user is told that there is something to read.
    var isReading: Bool { interest.contains(.input) }

    func setReading(_ isReading: Bool) { set(.input, isReading) }

    private func set(_ part: EventLoop.Interest, _ isWanted: Bool) {
        guard isOpen, interest.contains(part) != isWanted else { return }
        interest.formSymmetricDifference(part)
        loop.change(descriptor, interest)
    }

    /// Reads what is there, at most what the loop's buffer holds; `settle()` of the bytes has to follow.
    func receive(into bytes: inout ReceivedBytes) -> Received {
        while true {
            let count = bytes.receive(from: descriptor, through: loop.receiveBuffer)
            if count > 0 { return .something }
            if count == 0 { return .end }
            if errno == EAGAIN { return .nothing }
            if errno != EINTR { return .failure }
        }
    }

    /// Adds bytes to what ``flush()`` sends.
    func write(_ bytes: UnsafeRawBufferPointer) { unsent.append(bytes) }

    /// Sends what the kernel takes; the user is told when it takes the rest.
    ///
    /// - Returns: how many bytes it took; `nil` when nothing can be sent any more.
    func flush() -> Int? {
        guard isOpen, !unsent.isEmpty else { return 0 }
        let sent = unsent.send(to: descriptor)
        set(.output, !unsent.isEmpty)
        return sent
    }

    /// Tells the client that no more is sent.
    func endOutput() { if isOpen { shutdown(descriptor, CInt(SHUT_WR)) } }

    func close() {
        guard isOpen else { return }
        isOpen = false
        loop.remove(descriptor)
        Glibc.close(descriptor)
    }

    /// Bytes that were written and that the other side has not taken: buffered here, and in the kernel.
    ///
    /// The kernel takes more from us only when much of its buffer is free, long after a slow reader has begun to read.
    var bytesUnderWay: Int {
        var queued: CInt = 0
        guard isOpen, ioctl(descriptor, UInt(TIOCOUTQ), &queued) == 0 else { return unsent.count }
        return unsent.count + Int(queued)
    }
}
