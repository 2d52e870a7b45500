import Testing

@testable import GuerdonStore

/// What is wrong with a file is found in its header, and said where it is.
@Suite struct HeaderTests {
    private static let own = LedgerIdentity(low: 1, high: 2)

    /// A format, and where its mark begins.
    private static let formats: [(frame: FileHeader, start: Int)] = [
        (SegmentHeader.frame, 0), (SnapshotHeader.frame, 0), (ArchiveHeader.frame, 8), (SealedIdHeader.frame, 0),
        (HistoryFileHeader.frame, 0),
    ]

    private static func error(_ frame: FileHeader, _ bytes: [UInt8]) -> StoreError? {
        bytes.withUnsafeBytes { bytes in
            do throws(StoreError) {
                try frame.check(bytes, path: "file", identity: own)
                return nil
            } catch { return error }
        }
    }

    /// Puts the checksum right again, as a writer of another release would.
    private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { buffer in
            let end = buffer.count - 4
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, end)), at: end)
        }
        return bytes
    }

    @Test(arguments: formats.indices) func everyByteOfAHeaderCounts(format: Int) {
        let (frame, start) = Self.formats[format]
        let whole = frame.encoded(Self.own) { buffer in
            for place in start + 32..<buffer.count { buffer[place] = UInt8(truncatingIfNeeded: place) }
        }
        #expect(whole.count == frame.size && Self.error(frame, whole) == nil)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0x40
            let found = Self.error(frame, bytes)
            if (start..<start + 8).contains(place) {
                #expect(found?.offset == UInt64(start) && found?.detail.contains("begin with its mark") == true)
            } else {
                #expect(found?.offset == 0 && found?.detail.contains("checksum") == true, "byte \(place)")
            }
        }
        #expect(Self.error(frame, Array(whole.dropLast()))?.detail.contains("ends inside") == true)
    }

    @Test(arguments: formats.indices) func anotherReleaseAndAnotherLedgerAreTold(format: Int) {
        let (frame, start) = Self.formats[format]
        var newer = frame.encoded(Self.own) { _ in }
        newer[start + 8] = 2
        let version = Self.error(frame, Self.sealed(newer))
        #expect(version?.code == .unsupportedVersion && version?.offset == UInt64(start + 8))
        #expect(version?.detail.hasSuffix("has format 2, this program reads 1") == true)
        let foreign = Self.error(frame, frame.encoded(LedgerIdentity(low: 1, high: 3)) { _ in })
        #expect(foreign?.code == .foreignFile && foreign?.offset == UInt64(start + 16))
        #expect(foreign?.detail.hasPrefix("the \(frame.noun) belongs to ledger") == true)
    }
}
