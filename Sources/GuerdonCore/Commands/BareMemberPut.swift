/// A `member.put` that names a member and perhaps who referred him, and nothing else, in its bytes: what imports are made of.
struct BareMemberPut {
    let workspace: UnsafeRawBufferPointer
    let member: UnsafeRawBufferPointer
    let referrer: UnsafeRawBufferPointer?

    /// Reads the command at the source's position; `nil`, with the source where it was, when it is any other.
    init?(_ source: inout ByteSource) {
        guard source.bytes[source.position] == CommandTag.memberPut.rawValue else { return nil }
        var ahead = source
        ahead.position += 1
        guard let workspace = try? ahead.run(), let member = try? ahead.run(), Limits.idBytes.contains(member.count)
        else { return nil }
        // Name, e-mail, phone, birthday, registration and kind are kept.
        guard ahead.skipZeros(6), let change = try? ahead.byte() else { return nil }
        switch change {
        case 0: referrer = nil
        case 2:
            guard let id = try? ahead.run(), Limits.idBytes.contains(id.count) else { return nil }
            referrer = id
        default: return nil
        }
        // So are codes, tags and attributes.
        guard ahead.skipZeros(5) else { return nil }
        self.workspace = workspace
        self.member = member
        source = ahead
    }
}

extension ByteSource {
    /// Goes on behind `count` bytes if they are all 0.
    fileprivate mutating func skipZeros(_ count: Int) -> Bool {
        guard count <= bytes.count - position else { return false }
        for _ in 0..<count {
            guard bytes[position] == 0 else { return false }
            position += 1
        }
        return true
    }
}
