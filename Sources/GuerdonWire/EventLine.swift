public import GuerdonCore

/// What an event tells, encoded once for everybody who is told: all of the line but the subscription and the position.
public struct EventLine: Equatable, Sendable {
    /// Without quotes.
    private let name: [UInt8]
    /// From behind the log position to the end of the line.
    private let content: [UInt8]

    private init(_ name: String, _ body: (inout JSONWriter) -> Void) {
        self.name = Array(name.utf8)
        let sink = ByteSink(capacity: 1024)
        defer { sink.deallocate() }
        var writer = JSONWriter(sink)
        writer.beginObject()
        body(&writer)
        writer.endObject()
        writer.endLine()
        content = Array(sink.bytes.dropFirst())
    }

    /// The first places of a board that is watched.
    public static func board(_ view: BoardAnswer) -> EventLine {
        EventLine("board") { writer in
            writer.key("board")
            writer.string(view.board)
            writer.key("period")
            writer.string(view.period)
            writer.key("entries")
            writer.places(view)
        }
    }

    /// The wallet of a member that is watched.
    public static func member(_ view: WalletAnswer) -> EventLine { EventLine("member") { $0.wallet(view) } }

    /// The counts that are watched; at least one.
    public static func stats(_ counts: [(name: StaticString, value: Int64)]) -> EventLine {
        EventLine("stats") { writer in
            for (name, value) in counts {
                writer.key(name)
                writer.number(value)
            }
        }
    }

    /// Bytes of the line, about.
    public var byteCount: Int { content.count + 64 }

    /// Writes the line that one subscription gets.
    ///
    /// - Parameter sequence: the log position of the state that is told.
    public func write(subscription: UInt64, sequence: UInt64, to out: ByteSink) {
        out.ascii("{\"event\":\"")
        out.write(name)
        out.ascii("\",\"subscription\":")
        Digits.write(subscription, into: out)
        out.ascii(",\"seq\":")
        Digits.write(sequence, into: out)
        out.write(UInt8(ascii: ","))
        out.write(content)
    }
}
