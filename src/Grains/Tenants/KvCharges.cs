using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>Turns the totals that workers tell into what is new, each byte-second once.</summary>
internal static class KvCharges
{
    /// <summary>Workers remembered; what one tells that was forgotten would be charged anew, so there are more than a model has.</summary>
    public const int Kept = 256;

    /// <summary>Takes up a total.</summary>
    /// <param name="known">The last total of each worker.</param>
    /// <param name="charge">The new one.</param>
    /// <returns>Byte-seconds to charge, and the totals from now on; 0 and the same ones when it is old or nothing new.</returns>
    public static (double ByteSeconds, KvCharge[] Known) Take(KvCharge[] known, KvCharge charge)
    {
        KvCharge? last = Array.Find(known, other => other.Worker == charge.Worker);
        bool sameLife = last?.Life == charge.Life;
        double added = charge.ByteSeconds - (sameLife ? last!.ByteSeconds : 0);
        if (last?.Life > charge.Life || !(added > 0 && double.IsFinite(added)))
        {
            return (0, known);
        }
        return (added, [.. known.Where(other => other != last).TakeLast(Kept - 1), charge]);
    }
}
