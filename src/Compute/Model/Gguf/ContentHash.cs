using System.Security.Cryptography;

namespace Concertina.Compute.Model.Gguf;

/// <summary>SHA-256 over the SHA-256 of each 16 MiB piece of a file: as strong as the plain one, and hashed on all cores.</summary>
internal static class ContentHash
{
    private const int PieceBytes = 16 << 20;

    /// <summary>Hash of the whole file, 64 lower-case hexadecimal digits.</summary>
    public static string Of(MappedFile file)
    {
        int pieces = (int)((file.Length + PieceBytes - 1) / PieceBytes);
        byte[] digests = new byte[pieces * SHA256.HashSizeInBytes];
        Parallel.For(0, pieces, piece =>
        {
            long start = (long)piece * PieceBytes;
            int length = (int)Math.Min(PieceBytes, file.Length - start);
            SHA256.HashData(file.Span(start, length), digests.AsSpan(piece * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes));
        });
        return Convert.ToHexStringLower(SHA256.HashData(digests));
    }
}
