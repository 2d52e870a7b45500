import CSimdjson
import GuerdonCore

#if canImport(Glibc)
    import Glibc
#endif

/// Turns lines of JSON into rows and commands.
///
/// A well-formed action of plain fields goes from the read buffer into the batch's body without an allocation; every other
/// line takes the slower road that also knows what to say about mistakes. A bad line harms none of its neighbours.
///
/// One decoder per event loop; it is not to be used by two threads at a time.
public final class RequestDecoder {
    let parser: OpaquePointer
    private let found: UnsafeMutablePointer<csj_row>
    private let capacity = 256
    let tokens = TokenBuffer()
    /// The encoded attributes of the action at hand.
    let attributes = ByteSink(capacity: 1024)
    let lineBytes: Int
    /// Longest id of a request, without quotes and escapes.
    static let requestIDBytes = 64
    /// Bytes that are indexed at a time: what fits the caches, unless one line is longer.
    private let chunkBytes = 48 * 1024

    /// Creates a decoder.
    ///
    /// - Parameter lineBytes: longest line, without its end.
    public init(lineBytes: Int = 64 * 1024) {
        guard let parser = csj_create() else { fatalError("Out of memory while creating a JSON parser.") }
        self.parser = parser
        self.lineBytes = lineBytes
        found = .allocate(capacity: capacity)
    }

    deinit {
        csj_destroy(parser)
        found.deallocate()
        attributes.deallocate()
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
        var start = 0
        while start < lines.count, defaults.awaited == nil {
            let end = chunkEnd(lines, from: start)
            let chunk = UnsafeRawBufferPointer(rebasing: lines[start..<end])
            if csj_index(parser, chunk.baseAddress?.assumingMemoryBound(to: UInt8.self), chunk.count) == Int32(CSJ_OK) {
                start += decodeIndexed(chunk, &defaults, requests)
            } else {
                // Something in there breaks the structure of the whole chunk: find out line by line what.
                start += decodeSingly(chunk, &defaults, requests)
            }
        }
        return start
    }

    /// Where a chunk of whole lines ends.
    private func chunkEnd(_ lines: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard lines.count - start > chunkBytes, let base = lines.baseAddress else { return lines.count }
        var end = start + chunkBytes
        while end > start, lines[end - 1] != 0x0a { end -= 1 }
        if end > start { return end }
        let rest = lines.count - start - chunkBytes
        if let feed = memchr(base + start + chunkBytes, 0x0a, rest) {
            return base.distance(to: UnsafeRawPointer(feed)) + 1
        }
        return lines.count
    }

    /// Returns how many bytes were taken.
    private func decodeIndexed(
        _ chunk: UnsafeRawBufferPointer, _ defaults: inout ConnectionDefaults, _ requests: Requests
    ) -> Int {
        guard let base = chunk.baseAddress else { return 0 }
        var line = 0
        var structural: UInt32 = 0
        while line < chunk.count {
            let count = csj_rows(parser, &line, &structural, found, capacity)
            var next = 0
            while next < count {
                next = appendPlain(from: next, to: count, base, defaults, requests)
                if next < count {
                    decodeSlowly(found[next], base, &defaults, requests)
                    if defaults.awaited != nil {
                        let end = Int(found[next].start) + Int(found[next].count)
                        return chunk[end...].firstIndex(of: 0x0a).map { $0 + 1 } ?? chunk.count
                    }
                    next += 1
                }
            }
        }
        return chunk.count
    }

    /// Appends the plain actions from row `first` on; returns the first row that is not one.
    private func appendPlain(
        from first: Int, to end: Int, _ base: UnsafeRawPointer, _ defaults: ConnectionDefaults, _ requests: Requests
    ) -> Int {
        // Taken out of the class for the run: exclusivity is checked once, not once a row.
        var actions = requests.commands.actions
        var next = first
        defaults.workspace.bytes.withUnsafeBytes { workspace in
            while next < end, found[next].present & UInt32(CSJ_PLAIN) != 0,
                appendPlain(found + next, base, workspace, defaults.ack, &actions, requests)
            {
                next += 1
            }
        }
        guard next > first else { return next }
        requests.commands.actions = actions
        requests.commands.count += next - first
        if defaults.ack == .detail { requests.commands.wantsLines = true }
        return next
    }

    /// Returns how many bytes were taken.
    private func decodeSingly(
        _ chunk: UnsafeRawBufferPointer, _ defaults: inout ConnectionDefaults, _ requests: Requests
    ) -> Int {
        var start = 0
        while start < chunk.count, defaults.awaited == nil {
            let feed = chunk[start...].firstIndex(of: 0x0a) ?? chunk.count
            let end = feed > start && chunk[feed - 1] == 0x0d ? feed - 1 : feed
            defer { start = feed + 1 }
            guard end > start else { continue }
            let line = UnsafeRawBufferPointer(rebasing: chunk[start..<end])
            // Whatever else is wrong with it: a line beyond the bound may have been cut by the reader.
            guard line.count <= lineBytes else {
                refuse(RequestDecoder.tooLong(line.count, lineBytes), id: nil, requests, defaults)
                continue
            }
            let fault = csj_index(parser, line.baseAddress?.assumingMemoryBound(to: UInt8.self), line.count)
            if fault == Int32(CSJ_OK) {
                _ = decodeIndexed(line, &defaults, requests)
            } else {
                refuse(JSONFault(code: Int(fault), line: line, at: nil).refusal, id: nil, requests, defaults)
            }
        }
        return min(start, chunk.count)
    }
}
