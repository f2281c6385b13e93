using System.Security.Cryptography;
using System.Text;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Hashes of keys as options have them.</summary>
internal static class KeyHash
{
    public static string Of(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
