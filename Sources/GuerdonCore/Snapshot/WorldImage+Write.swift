extension WorldImage {
    /// Writes the state in its canonical form: in order of creation, independent of shards and memory layout.
    ///
    /// - Returns: the sink.
    /// - Throws: what the sink throws.
    public func write<Sink: StateSink>(to sink: Sink) throws -> Sink {
        var out = SectionWriter(sink)
        if workspaces.contains(where: { !$0.sealedRuns.isEmpty }) {
            try out.begin(.sealedRuns)
            for (index, workspace) in workspaces.enumerated() {
                for run in workspace.sealedRuns {
                    try out.record { NamedRun(workspace: index, run: run).write(to: $0) }
                }
            }
            try out.begin(.world)
        }
        try out.record { b in
            b.writeVarint(sequence)
            b.writeSigned(time)
            b.writeVarint(UInt64(workspaces.count))
        }
        for workspace in workspaces {
            try out.begin(.workspace)
            try out.record { workspace.encodeSettings(into: $0) }
            try writeMembers(workspace, &out)
            try writeWallets(workspace, &out)
            try writeScores(workspace, &out)
            try out.begin(.externalIds)
            for generation in workspace.externalIds {
                try generation.forEach { key, id in
                    try out.record { b in
                        b.write(fixed: key.high)
                        b.write(fixed: key.low)
                        b.write(fixed: id.content)
                        b.writeVarint(id.sequence)
                    }
                }
            }
            try out.begin(.reversals)
            for sequence in workspace.reversals.keys.sorted() {
                try out.record { b in
                    b.writeVarint(sequence)
                    b.writeSigned(workspace.reversals[sequence] ?? 0)
                }
            }
        }
        try out.begin(.end)
        try out.record { $0.write(1 as UInt8) }
        try out.flush()
        return out.sink
    }

    private func writeMembers<Sink>(_ w: WorkspaceImage, _ out: inout SectionWriter<Sink>) throws {
        try out.begin(.memberIds)
        try w.members.forEachId { id in
            try out.record { b in
                b.writeVarint(UInt64(id.count))
                b.write(id)
            }
        }
        try out.begin(.referrers)
        let referrers = w.referrers.reader()
        for member in 0..<w.memberCount {
            // 0 for nobody, so that the many roots of a fresh workspace cost a byte each.
            try out.record { $0.writeVarint(UInt64(referrers[member] &+ 1)) }
        }
        try out.begin(.profiles)
        let mask = (1 << shardBits) - 1
        for member in 0..<w.memberCount {
            guard let profile = w.shards[member & mask].profiles[member >> shardBits] else { continue }
            try out.record { b in
                b.writeVarint(UInt64(member))
                profile.encode(into: b)
            }
        }
    }

    private func writeWallets<Sink>(_ w: WorkspaceImage, _ out: inout SectionWriter<Sink>) throws {
        let mask = (1 << shardBits) - 1
        for currency in w.currencies.indices {
            try out.begin(.wallets)
            try out.record { $0.writeVarint(UInt64(currency)) }
            let wallets = ContiguousArray(w.shards.map { $0.wallets[currency].reader() })
            for member in 0..<w.memberCount {
                let wallet = wallets[member & mask][member >> shardBits]
                guard wallet.lastSequence != 0 else { continue }
                var lots: [Lot] = []
                if wallet.lastLot != Lot.none {
                    let shard = w.shards[member & mask]
                    var index = shard.lots[Int(wallet.lastLot)].next
                    while true {
                        lots.append(shard.lots[Int(index)])
                        if index == wallet.lastLot { break }
                        index = shard.lots[Int(index)].next
                    }
                }
                try out.record { b in
                    b.writeVarint(UInt64(member) + 1)
                    b.writeSigned(wallet.balance)
                    b.writeSigned(wallet.undated)
                    b.writeVarint(wallet.lastSequence)
                    b.writeVarint(wallet.undatedSource)
                    b.writeVarint(UInt64(lots.count))
                    for lot in lots {
                        b.writeSigned(lot.amount)
                        b.writeSigned(lot.expires)
                        b.writeVarint(lot.sequence)
                    }
                }
            }
            // Ends the currency; members begin at 1.
            try out.record { $0.write(0 as UInt8) }
        }
    }

    private func writeScores<Sink>(_ w: WorkspaceImage, _ out: inout SectionWriter<Sink>) throws {
        let mask = (1 << shardBits) - 1
        for (b, board) in w.boards.enumerated() {
            for standing in board.standings {
                try out.begin(.scores)
                var isFirst = true
                let tables = ContiguousArray(standing.scores.map { $0.reader() })
                for member in 0..<w.memberCount {
                    let scores = tables[member & mask]
                    guard member >> shardBits < scores.count else { continue }
                    let score = scores[member >> shardBits]
                    guard score.score > 0 else { continue }
                    // A period that nobody stands in any more is no part of the state.
                    try out.record { sink in
                        if isFirst {
                            sink.writeVarint(UInt64(b))
                            sink.writeSigned(standing.key)
                        }
                        sink.writeVarint(UInt64(member) + 1)
                        sink.writeSigned(score.score)
                        sink.writeVarint(score.since)
                    }
                    isFirst = false
                }
                if !isFirst { try out.record { $0.write(0 as UInt8) } }
            }
        }
    }
}

extension ByteSink {
    func write(fixed value: UInt64) {
        reserve(8).storeBytes(of: value.littleEndian, as: UInt64.self)
        advance(8)
    }
}

extension ByteSource {
    mutating func fixed() throws(MalformedBytes) -> UInt64 {
        guard bytes.count - position >= 8 else { throw MalformedBytes(offset: position) }
        defer { position += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }
}

extension Profile {
    func encode(into out: ByteSink) {
        for text in [name, email, phone, birthday, registered, kind, code] { out.write(text) { out.write($0) } }
        out.write(tags) { out.write($0) }
        CommandCoding.encode(attributes, into: out)
    }

    init(_ source: inout ByteSource) throws(MalformedBytes) {
        func text(_ s: inout ByteSource) throws(MalformedBytes) -> Text { try s.text() }
        name = try source.optional(text)
        email = try source.optional(text)
        phone = try source.optional(text)
        birthday = try source.optional(text)
        registered = try source.optional(text)
        kind = try source.optional(text)
        code = try source.optional(text)
        tags = try source.array(text)
        attributes = try CommandCoding.attributes(&source, depth: 0)
    }
}
