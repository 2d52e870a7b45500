import CSimdjson
import GuerdonCore

/// Turns lines of JSON into rows and commands.
///
/// A well-formed request of plain fields, such as most actions are, goes from the read buffer into the batch without an
/// allocation; every other line takes the slower road that also knows what to say about mistakes. A bad line harms none of
/// its neighbours.
///
/// One decoder per event loop; it is not to be used by two threads at a time.
public final class RequestDecoder {
    let reader: OpaquePointer
    /// The plain line read last.
    let row: UnsafeMutablePointer<csj_row>
    /// The encoded attributes of the command at hand.
    let attributes = ByteSink(capacity: 1024)
    /// Times seen last; neighbouring actions happened at about the same time.
    let times = TimeMemory()
    let lineBytes: Int
    /// Longest id of a request, without quotes and escapes.
    static let requestIDBytes = 64

    /// Creates a decoder.
    ///
    /// - Parameter lineBytes: longest line, without its end.
    public init(lineBytes: Int = 64 * 1024) {
        guard let reader = csj_create(UInt32(Limits.nesting)) else {
            fatalError("Out of memory while creating a JSON reader.")
        }
        self.reader = reader
        self.lineBytes = lineBytes
        row = .allocate(capacity: 1)
        row.initialize(to: csj_row())
    }

    deinit {
        csj_destroy(reader)
        row.deallocate()
        attributes.deallocate()
        times.deallocate()
    }

    /// Decodes complete lines, one row each in their order; lines of no bytes are left out.
    ///
    /// - Parameters:
    ///   - lines: lines with their line feeds (the last may lack it), `\r\n` included.
    ///   - defaults: of the connection; a `hello` among the lines changes them for the lines behind it.
    ///   - requests: where rows and commands are appended.
    /// - Returns: how many bytes were taken: all, or those up to the end of a `hello` with another workspace. What the lines
    ///   behind it mean depends on whether it is accepted: call ``ConnectionDefaults/settle(isAccepted:)`` and come again.
    @discardableResult
    public func decode(
        lines: UnsafeRawBufferPointer, defaults: inout ConnectionDefaults, into requests: Requests
    ) -> Int {
        guard let base = lines.baseAddress else { return 0 }
        var start = 0
        while start < lines.count, defaults.awaited == nil {
            start = decodePlain(lines, from: start, defaults, requests)
            guard start < lines.count else { break }
            // The line there was looked at, and is something else.
            let line = UnsafeRawBufferPointer(start: base + start, count: Int(row.pointee.count))
            start += Int(row.pointee.taken)
            decodeSlowly(line, &defaults, requests)
        }
        return start
    }

    /// Appends the plain lines from `first` on; returns where the first line begins that is not one.
    private func decodePlain(
        _ lines: UnsafeRawBufferPointer, from first: Int, _ defaults: ConnectionDefaults, _ requests: Requests
    ) -> Int {
        guard let base = lines.baseAddress else { return lines.count }
        // Taken out of the class for the run: exclusivity is checked once, not once a row.
        var actions = requests.commands.actions
        var commands = 0
        var start = first
        defaults.workspace.bytes.withUnsafeBytes { workspace in
            while start < lines.count {
                let line = base + start
                csj_read_line(reader, line.assumingMemoryBound(to: UInt8.self), lines.count - start, row)
                if row.pointee.count > 0 {
                    guard Int(row.pointee.count) <= lineBytes else { return }
                    let plain = PlainLine(row: UnsafePointer(row), bytes: line, ack: defaults.ack, workspace: workspace)
                    switch Int(row.pointee.operation) {
                    case CSJ_ACTION:
                        guard appendAction(plain, &actions, requests) else { return }
                        commands += 1
                    case CSJ_MEMBER_PUT:
                        guard appendMember(plain, requests) else { return }
                        commands += 1
                    case CSJ_OTHER: return
                    default: guard appendRead(plain, requests) else { return }
                    }
                }
                start += Int(row.pointee.taken)
            }
        }
        guard commands > 0 else { return start }
        requests.commands.actions = actions
        requests.commands.count += commands
        if defaults.ack == .detail { requests.commands.wantsLines = true }
        return start
    }
}
