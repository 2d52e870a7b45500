import Glibc
import GuerdonStore

/// A directory of its own that goes when it is not used any more.
final class Scratch {
    let path: String

    init() throws {
        var template = Array(((getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/guerdon-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(errorNumber: errno) }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// Why there is no directory.
    struct Failure: Error {
        let errorNumber: Int32
    }

    deinit { Scratch.remove(path) }

    /// A new data directory in it.
    func dataDirectory() throws -> DataDirectory {
        try DataDirectory.create(at: path + "/data")
        return try DataDirectory.open(at: path + "/data", .readWrite)
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
        }
        _ = Glibc.remove(path)
    }
}
