import Glibc

/// A directory of its own for a test, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Thrown where no directory can be made.
    public struct Failure: Error {
        /// The system's error number.
        public let errorNumber: Int32
    }

    /// Makes an empty directory.
    ///
    /// - Parameter parent: `/tmp`, which may lie in memory, unless a test needs a disk.
    public init(in parent: String = "/tmp") throws {
        var template = Array("\(parent)/guerdon-test-XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) else {
            throw Failure(errorNumber: errno)
        }
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    /// Runs `body` with a directory that is gone afterwards.
    public static func with<Result>(in parent: String = "/tmp", _ body: (String) throws -> Result) throws -> Result {
        let directory = try TemporaryDirectory(in: parent)
        return try withExtendedLifetime(directory) { try body(directory.path) }
    }

    /// Removes a file, or a directory with everything in it, also where a test took the rights to it away.
    public static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        chmod(path, 0o700)
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    /// The names in a directory in alphabetical order; none where there is no directory.
    public static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
