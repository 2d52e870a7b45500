import CIntrinsics
import GuerdonCore
import TestSupport
import Testing

struct HashTests {
    @Test(
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func stateHasherIsSHA256(text: String, digest: String) {
        var hasher = StateHasher()
        hasher.combine(bytes: Array(text.utf8))
        #expect(hasher.finalize().hexadecimal == digest)
    }

    @Test func aMillionLettersGiveThePublishedDigest() {
        var hasher = StateHasher()
        for _ in 0..<1000 { hasher.combine(bytes: [UInt8](repeating: 0x61, count: 1000)) }
        #expect(
            hasher.finalize().hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func wordsEqualTheirBytesAtEveryAlignment() {
        for lead in 0..<70 {
            var byWord = StateHasher()
            var byByte = StateHasher()
            byWord.combine(bytes: [UInt8](repeating: 9, count: lead))
            for byte in [UInt8](repeating: 9, count: lead) { byByte.combine(bytes: [byte]) }
            for word in [0x0102_0304_0506_0708, UInt64.max, 0, 77] {
                byWord.combine(word)
                withUnsafeBytes(of: word.littleEndian) { bytes in
                    for byte in bytes { byByte.combine(bytes: [byte]) }
                }
            }
            #expect(byWord.finalize() == byByte.finalize())
        }
    }

    @Test func keyedHashDependsOnSeedLengthAndEveryByte() {
        let hash = BitHash(seed: .init(1, 2, 3, 4))
        let other = BitHash(seed: .init(1, 2, 3, 5))
        defer {
            hash.deallocate()
            other.deallocate()
        }
        var seen: Set<BitHash.Value> = []
        var expected = 0
        for length in 0...128 {
            var id = [UInt8](repeating: 0, count: length)
            seen.insert(id.withUnsafeBytes { hash.hash128($0) })
            seen.insert(id.withUnsafeBytes { other.hash128($0) })
            expected += 2
            for position in 0..<length {
                id[position] = 0x80
                let value = id.withUnsafeBytes { hash.hash128($0) }
                #expect(id.withUnsafeBytes { hash.hash64($0) } == value.first)
                seen.insert(value)
                expected += 1
                id[position] = 0
            }
        }
        #expect(seen.count == expected)
    }

    @Test func hashIsTheSameForEver() {
        let hash = BitHash(seed: .init(1, 2, 3, 4))
        defer { hash.deallocate() }
        let values = ["m1", "m999999", "member-000001", String(repeating: "x", count: 128)].map { text in
            text.withBytes { hash.hash128($0) }
        }
        #expect(values.map { String($0.first, radix: 16) } == Self.firstHalves)
        #expect(values.map { String($0.second, radix: 16) } == Self.secondHalves)
    }

    private static let firstHalves = [
        "d65c46b701a94800", "bc97aeb4c5ef1590", "b87e14495ccd7d98", "8edc4e3a2b7b41d8",
    ]
    private static let secondHalves = [
        "574bbb66205f384f", "9dfdec3431336e5c", "bc1ddb9c869967c7", "9996d8c7b672af0a",
    ]

    @Test func sequentialIdsSpreadEvenly() {
        let hash = BitHash(seed: .init(11, 12, 13, 14))
        defer { hash.deallocate() }
        var buckets = [Int](repeating: 0, count: 1024)
        for number in 0..<102_400 { buckets["m\(number)".withBytes { Int(hash.hash64($0) >> 54) }] += 1 }
        let chiSquare = buckets.reduce(0.0) { $0 + (Double($1) - 100) * (Double($1) - 100) / 100 }
        // 1023 degrees of freedom: within eight standard deviations.
        #expect(abs(chiSquare - 1023) < 8 * 45.2)
    }
}

struct SHA256InstructionTests {
    @Test(arguments: 1...5)
    func instructionsAndPlainCodeAgree(blocks: Int) {
        var random = SplitMix64(seed: UInt64(blocks))
        let bytes = (0..<blocks * 64).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var fast = (0..<8).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        var plain = fast
        cintrinsics_sha256(&fast, bytes, blocks)
        cintrinsics_sha256_plain(&plain, bytes, blocks)
        #expect(fast == plain)
    }
}

extension StateHasher {
    fileprivate mutating func combine(bytes: [UInt8]) { bytes.withUnsafeBytes { combine(bytes: $0) } }
}
