public import GuerdonCore

extension ReplyEncoder {
    /// One reply to a read: its fields are written by `body`.
    private func answer(
        _ id: UnsafeRawBufferPointer, _ sequence: UInt64, _ body: (inout JSONWriter) -> Void
    ) {
        var writer = JSONWriter(out)
        writer.beginObject()
        if !id.isEmpty {
            writer.key("id")
            writer.raw(id)
        }
        writer.key("ok")
        writer.bool(true)
        writer.key("seq")
        writer.number(sequence)
        body(&writer)
        writer.endObject()
        writer.endLine()
    }

    /// The reply to `hello`: what holds for the connection from here on.
    public func hello(id: UnsafeRawBufferPointer, sequence: UInt64, _ hello: Hello) {
        answer(id, sequence) { writer in
            writer.key("workspace")
            writer.string(hello.workspace)
            writer.key("ack")
            writer.string(hello.ack.name)
        }
    }

    /// The reply to `subscribe`.
    public func subscribed(id: UnsafeRawBufferPointer, sequence: UInt64, subscription: UInt64) {
        answer(id, sequence) { writer in
            writer.key("subscription")
            writer.number(subscription)
        }
    }

    /// The reply to `member.get`.
    public func member(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: MemberAnswer) {
        answer(id, sequence) { writer in
            writer.key("member")
            writer.string(view.member)
            let texts: [(StaticString, Text?)] = [
                ("name", view.name), ("email", view.email), ("phone", view.phone), ("birthday", view.birthday),
                ("registered", view.registered), ("kind", view.kind),
            ]
            for (key, text) in texts {
                writer.key(key)
                writer.string(text)
            }
            writer.key("tags")
            writer.beginList()
            for tag in view.tags { writer.string(tag) }
            writer.endList()
            writer.key("attributes")
            writer.attributes(view.attributes)
            writer.key("referrer")
            writer.string(view.referrer)
            writer.key("referralCode")
            writer.string(view.referralCode)
        }
    }

    /// The reply to `wallet`.
    public func wallet(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: WalletAnswer) {
        answer(id, sequence) { $0.wallet(view) }
    }

    /// The reply to `statement`.
    public func statement(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: StatementAnswer) {
        answer(id, sequence) { writer in
            writer.key("entries")
            writer.beginList()
            for entry in view.entries { writer.entry(entry) }
            writer.endList()
            writer.key("next")
            writer.string(view.next.map { Text($0) })
        }
    }

    /// The reply to `upline` and `downline`.
    public func chain(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: ChainAnswer) {
        answer(id, sequence) { writer in
            writer.key("entries")
            writer.beginList()
            for entry in view.entries {
                writer.beginObject()
                writer.key("level")
                writer.number(Int64(entry.level))
                writer.key("member")
                writer.string(entry.member)
                writer.endObject()
            }
            writer.endList()
        }
    }

    /// The reply to `board.top`, or to `board.rank` when the answer is about one member.
    public func board(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: BoardAnswer) {
        answer(id, sequence) { writer in
            if let own = view.own {
                writer.key("rank")
                if let rank = own.rank { writer.number(Int64(rank)) } else { writer.null() }
                writer.key("score")
                writer.amount(own.score, scale: view.scale)
            } else {
                writer.frame(view)
            }
            writer.key("entries")
            writer.places(view)
        }
    }

    /// The reply to `explain`.
    public func explain(id: UnsafeRawBufferPointer, sequence: UInt64, _ view: ExplainAnswer) {
        answer(id, sequence) { $0.explanation(view) }
    }

    /// The reply to `stats`: named counts in the order given.
    public func stats(id: UnsafeRawBufferPointer, sequence: UInt64, _ counts: [(name: StaticString, value: Int64)]) {
        answer(id, sequence) { writer in
            for (name, value) in counts {
                writer.key(name)
                writer.number(value)
            }
        }
    }
}
