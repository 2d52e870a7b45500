import GuerdonCore

extension ByteSink {
    /// Appends a JSON string from UTF-8, eight bytes at a time as long as nothing needs an escape.
    @inline(__always)
    func quoted(_ text: UnsafeRawBufferPointer) {
        let count = text.count
        let out = reserve(count + 2)
        out.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
        var to = out + 1
        if let from = text.baseAddress, count > 0 {
            var offset = 0
            while offset &+ 8 <= count {
                let word = from.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                if ByteSink.needsEscape(word) { return quotedSlowly(text) }
                to.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
                offset &+= 8
            }
            if offset &+ 4 <= count {
                let word = from.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                if ByteSink.needsEscape(UInt64(word) | ByteSink.blanks) { return quotedSlowly(text) }
                to.storeBytes(of: word, toByteOffset: offset, as: UInt32.self)
                offset &+= 4
            }
            while offset < count {
                let byte = from.load(fromByteOffset: offset, as: UInt8.self)
                if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return quotedSlowly(text) }
                to.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                offset &+= 1
            }
            to += count
        }
        to.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
        advance(count + 2)
    }

    /// Four bytes that need no escape, in the upper half of a word.
    private static var blanks: UInt64 { 0x2020_2020_0000_0000 }

    /// Whether a quote, a backslash or a control character is among eight bytes.
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5c)
        let marks = ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)
        return marks & (ones << 7) != 0
    }

    /// The same for any text.
    @inline(never)
    private func quotedSlowly(_ text: UnsafeRawBufferPointer) {
        write(UInt8(ascii: "\""))
        for byte in text {
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                write(byte)
            } else {
                escape(byte)
            }
        }
        write(UInt8(ascii: "\""))
    }

    private func escape(_ byte: UInt8) {
        write(UInt8(ascii: "\\"))
        switch byte {
        case 8: write(UInt8(ascii: "b"))
        case 9: write(UInt8(ascii: "t"))
        case 10: write(UInt8(ascii: "n"))
        case 12: write(UInt8(ascii: "f"))
        case 13: write(UInt8(ascii: "r"))
        case ..<0x20:
            ascii("u00")
            write(0x30 + (byte >> 4))
            let low = byte & 15
            write(low < 10 ? 0x30 + low : 0x61 - 10 + low)
        default: write(byte)
        }
    }
}
