import CChecksum
import TestSupport
import Testing

@testable import GuerdonStore

struct ChecksumTests {
    @Test func theCheckValueOfTheStandardIsMet() {
        let digits = Array("123456789".utf8)
        #expect(digits.withUnsafeBytes { Checksum.crc32c($0) } == 0xE306_9283)
        #expect(guerdon_crc32c_portable(0, digits, digits.count) == 0xE306_9283)
    }

    @Test func theInstructionAndTheTablesAgreeAtAllLengthsAndCuts() {
        var random = SplitMix64(seed: 5)
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes.withUnsafeBytes { all in
            for length in Array(0..<300) + [1023, 1024, 3071, 3072, 3073, 6144, 9999, 19_990] {
                let some = all.slice(length % 9, length)
                let whole = Checksum.crc32c(some)
                #expect(whole == guerdon_crc32c_portable(0, some.baseAddress, length))
                let cut = length / 3
                let front = Checksum.crc32c(some.slice(0, cut))
                #expect(Checksum.crc32c(some.slice(cut, length - cut), seed: front) == whole)
            }
        }
    }
}
