/// Reads what `strace -f -y -x` saw of a server on a fresh directory, and finds replies that left too early.
///
/// A record counts as durable when an `fdatasync` or `fsync` of its file has returned that was entered after the write of
/// the record had returned. Whatever is sent to a socket must not name a log position beyond the last durable one. Which
/// thread does what, and how many records one write holds, makes no difference.
struct DurabilityTrace {
    /// Replies that left before their record was durable, and whatever else is not in order.
    private(set) var violations: [String] = []
    /// How many log positions were named to clients, and the last one.
    private(set) var positionsTold = 0
    private(set) var lastTold: UInt64 = 0
    /// Records of the log, and how many of them a sync has covered.
    private(set) var recordCount = 0
    private(set) var syncCount = 0
    /// Everything up to this log position is durable.
    private(set) var durable: UInt64 = 0

    private struct Record {
        var file: Substring
        var first: UInt64
        var last: UInt64
        var isDurable = false
    }
    private enum Call {
        case write(records: [Record], bytes: Int, isSync: Bool)
        /// Covers records of the file up to this index.
        case sync(file: Substring, end: Int)
        case other
    }
    private var records: [Record] = []
    /// Records in front of this index are durable.
    private var firstOpen = 0
    private var entered: [Substring: Call] = [:]

    init() {}

    /// Checks a whole trace.
    init(_ text: String) { for line in text.split(separator: "\n") { read(line) } }

    /// Takes one line: a call that was entered, that returned, or both.
    mutating func read(_ line: Substring) {
        guard let space = line.firstIndex(of: " ") else { return }
        let thread = line[..<space]
        let event = line[space...].drop { $0 == " " }
        if event.hasPrefix("<... ") {
            finish(entered.removeValue(forKey: thread) ?? .other, result: Self.result(of: event))
        } else if !event.hasPrefix("+++"), !event.hasPrefix("---") {
            let call = enter(event)
            if event.hasSuffix("<unfinished ...>") {
                entered[thread] = call
            } else {
                finish(call, result: Self.result(of: event))
            }
        }
    }

    private mutating func enter(_ event: Substring) -> Call {
        guard let open = event.firstIndex(of: "(") else { return .other }
        let name = event[..<open]
        // pwritev(4</dir/wal/1.wal>, …: which file or socket is meant.
        let descriptor = event[event.index(after: open)...]
        let start = descriptor.firstIndex(of: "<").map { descriptor.index(after: $0) } ?? descriptor.endIndex
        let file = descriptor[start...].prefix { $0 != ">" }
        switch name {
        case "fdatasync", "fsync": return .sync(file: file, end: records.count)
        case "pwritev", "pwritev2", "pwrite64", "write", "writev", "sendto", "sendmsg":
            if file.hasPrefix("socket:") || file.hasPrefix("TCP") { send(event) }
            guard file.contains("/wal/") else { return .other }
            let bytes = Self.bytes(in: event)
            return .write(
                records: Self.records(in: bytes, file: file), bytes: bytes.count, isSync: event.contains("RWF_DSYNC"))
        default: return .other
        }
    }

    private mutating func finish(_ call: Call, result: Int?) {
        switch call {
        case .other: break
        case .write(let written, let bytes, let isSync):
            // Of a short write the rest follows, and this finds it missing.
            guard result == bytes else {
                if !written.isEmpty { violations.append("a record was written in part: \(result ?? -1) of \(bytes)") }
                return
            }
            records.append(contentsOf: written)
            recordCount += written.count
            if isSync, let file = written.first?.file { cover(file, upTo: records.count) }
        case .sync(let file, let end):
            if result == 0 { cover(file, upTo: end) }
        }
    }

    private mutating func cover(_ file: Substring, upTo end: Int) {
        for index in min(firstOpen, end)..<end where records[index].file == file { records[index].isDurable = true }
        if file.contains("/wal/") { syncCount += 1 }
        while firstOpen < records.count, records[firstOpen].isDurable {
            if records[firstOpen].first != durable + 1 {
                violations.append("position \(records[firstOpen].first) follows \(durable) in the log")
            }
            durable = records[firstOpen].last
            firstOpen += 1
        }
    }

    /// Looks at the log positions in what is about to be sent.
    private mutating func send(_ event: Substring) {
        for text in event.split(separator: #"\"seq\":"#).dropFirst() {
            guard let position = UInt64(text.prefix { $0.isNumber }) else { continue }
            positionsTold += 1
            lastTold = max(lastTold, position)
            if position > durable {
                violations.append("position \(position) was told when \(durable) was durable: \(event.prefix(200))")
            }
        }
    }

    /// What a call returned; `nil` when the line does not say.
    private static func result(of event: Substring) -> Int? {
        guard let equals = event.ranges(of: " = ").last else { return nil }
        return Int(event[equals.upperBound...].prefix { $0 == "-" || $0.isNumber })
    }

    /// The bytes of all strings, one behind the other.
    private static func bytes(in event: Substring) -> [UInt8] {
        let text = Array(event.utf8)
        var bytes: [UInt8] = []
        var isInside = false
        var at = 0
        func number(_ start: Int, _ digitsMax: Int, radix: Int) -> (value: UInt8, end: Int) {
            var (value, end) = (0, start)
            while end < text.count, end < start + digitsMax,
                let digit = Int(String(decoding: [text[end]], as: UTF8.self), radix: radix)
            {
                value = value * radix + digit
                end += 1
            }
            return (UInt8(truncatingIfNeeded: value), end)
        }
        while at < text.count {
            if text[at] == UInt8(ascii: "\"") {
                isInside.toggle()
                at += 1
            } else if !isInside {
                at += 1
            } else if text[at] != UInt8(ascii: "\\") || at + 1 == text.count {
                bytes.append(text[at])
                at += 1
            } else {
                let isHexadecimal = text[at + 1] == UInt8(ascii: "x")
                let (value, end) =
                    isHexadecimal ? number(at + 2, 2, radix: 16) : number(at + 1, 3, radix: 8)
                // Another escape stands for one byte, and which does not matter here.
                bytes.append(value)
                at = max(end, at + 2)
            }
        }
        return bytes
    }

    /// The batches among the records in some bytes; the layout is in WALFormat.
    private static func records(in bytes: [UInt8], file: Substring) -> [Record] {
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
        }
        var found: [Record] = []
        var offset = 0
        while offset + 64 <= bytes.count, bytes[offset..<offset + 4].elementsEqual("GDRC".utf8) {
            let first = number(offset + 16, 8)
            let count = number(offset + 12, 4)
            if bytes[offset + 9] == 1 { found.append(Record(file: file, first: first, last: first + count - 1)) }
            offset += 64 + Int(number(offset + 48, 4) + 7) & ~7
        }
        return found
    }
}
