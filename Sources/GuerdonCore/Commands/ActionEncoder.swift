/// Writes actions, leaving out what the action before them in the same body already said.
public struct ActionEncoder: Sendable {
    /// Where the body holds a text that actions share.
    private struct Part {
        var start = 0
        /// -1 when there is none yet.
        var count = -1
    }

    // The shape written last, in place: comparing with the body itself needs no copy of it.
    private var workspace = Part()
    private var type = Part()
    private var currency = Part()

    /// An encoder at the start of a body.
    public init() {}

    /// Starts a new body.
    public mutating func reset() { self = ActionEncoder() }

    /// Appends an action.
    public mutating func encode(_ c: ActionCommand, into out: ByteSink) {
        let attributes = ByteSink(capacity: 64)
        defer { attributes.deallocate() }
        if !c.attributes.isEmpty { CommandCoding.encode(c.attributes, into: attributes) }
        c.workspace.bytes.withUnsafeBytes { workspace in
            c.type.bytes.withUnsafeBytes { type in
                (c.currency ?? "").bytes.withUnsafeBytes { currency in
                    c.externalId.bytes.withUnsafeBytes { externalId in
                        c.performer.bytes.withUnsafeBytes { performer in
                            (c.title ?? "").bytes.withUnsafeBytes { title in
                                encode(
                                    workspace: workspace, type: type, currency: currency, externalId: externalId,
                                    performer: performer, value: c.value, at: c.at,
                                    title: c.title == nil ? nil : title, attributes: attributes.bytes, into: out)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Appends an action from the bytes of its fields, without allocating.
    ///
    /// - Parameters:
    ///   - currency: empty when absent.
    ///   - attributes: encoded by ``CommandCoding``; empty when absent.
    ///   - out: the same sink for all actions of a body.
    public mutating func encode(
        workspace: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer, currency: UnsafeRawBufferPointer,
        externalId: UnsafeRawBufferPointer, performer: UnsafeRawBufferPointer, value: DecimalNumber?, at: Int64?,
        title: UnsafeRawBufferPointer?, attributes: UnsafeRawBufferPointer, into out: ByteSink
    ) {
        let isSame =
            ActionEncoder.equal(self.type, type, out) && ActionEncoder.equal(self.currency, currency, out)
            && ActionEncoder.equal(self.workspace, workspace, out)
        var seconds: Int64 = 0
        var nanos: Int64 = 0
        var flags = isSame ? ActionFlags.sameShape : 0
        if let at {
            seconds = at / 1_000_000_000
            nanos = at - seconds * 1_000_000_000
            if nanos < 0 {
                seconds -= 1
                nanos += 1_000_000_000
            }
            flags |= nanos == 0 ? ActionFlags.at : ActionFlags.at | ActionFlags.atNanos
        }
        if value != nil { flags |= ActionFlags.value }
        if title != nil { flags |= ActionFlags.title }
        if !attributes.isEmpty { flags |= ActionFlags.attributes }
        var bytes = ActionEncoder.smallBytes + externalId.count + performer.count
        if !isSame { bytes += workspace.count + type.count + currency.count }
        if let title { bytes += title.count }
        if !attributes.isEmpty { bytes += attributes.count }
        var run = SinkRun(out, bytes: bytes)
        run.byte(CommandTag.action.rawValue)
        run.byte(flags)
        run.text(externalId)
        run.text(performer)
        if !isSame {
            run.text(workspace)
            self.workspace = Part(start: run.count - workspace.count, count: workspace.count)
            run.text(type)
            self.type = Part(start: run.count - type.count, count: type.count)
            run.text(currency)
            self.currency = Part(start: run.count - currency.count, count: currency.count)
        }
        if let value {
            run.varint(UInt64(bitPattern: value.coefficient))
            run.byte(value.scale)
        }
        if at != nil { run.signed(seconds) }
        if nanos != 0 { run.varint(UInt64(nanos)) }
        if let title { run.text(title) }
        if !attributes.isEmpty { run.text(attributes) }
        run.end()
    }

    /// Room for everything in an action but its texts: tag, flags, seven counts, value with scale, seconds, nanoseconds.
    private static let smallBytes = 2 + 7 * 10 + 11 + 10 + 10

    @inline(__always)
    private static func equal(_ part: Part, _ bytes: UnsafeRawBufferPointer, _ out: ByteSink) -> Bool {
        guard part.count == bytes.count else { return false }
        guard let other = bytes.baseAddress, part.count > 0 else { return part.count == 0 }
        let written = out.bytes
        precondition(part.start <= written.count - part.count, "actions of one body go into one sink")
        return equalBytes(written.baseAddress.unsafelyUnwrapped + part.start, other, part.count)
    }
}
