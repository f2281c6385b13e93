using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;

namespace Concertina.Grains.Tests.Tenants;

public sealed class KvChargesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_byte_second_is_charged_once_whatever_is_late_lost_or_told_twice(int seed)
    {
        Random random = new(seed);
        double charged = 0;
        KvCharge[] known = [];
        double expected = 0;
        List<KvCharge> told = [];
        foreach (string worker in (string[])["a", "b", "c"])
        {
            for (int life = 1; life <= 3; life++)
            {
                double total = 0;
                for (int i = 0; i < 50; i++)
                {
                    total += random.Next(1_000);
                    KvCharge charge = new(worker, life, total);
                    told.Add(charge);
                    bool last = i == 49;
                    if (last || random.Next(3) > 0)
                    {
                        Take(charge);
                    }
                    Take(told[random.Next(told.Count)]); // one that came before, again or for the first time
                }
                expected += total;
            }
        }

        Assert.Equal(expected, charged);

        void Take(KvCharge charge)
        {
            (double added, known) = KvCharges.Take(known, charge);
            charged += added;
        }
    }

    [Fact]
    public void What_is_remembered_of_workers_is_bounded_and_the_silent_ones_are_forgotten_first()
    {
        KvCharge[] known = [];
        for (int worker = 0; worker < 2 * KvCharges.Kept; worker++)
        {
            (_, known) = KvCharges.Take(known, new KvCharge($"w{worker}", 1, 1));
            (_, known) = KvCharges.Take(known, new KvCharge("busy", 1, worker + 1));
        }

        Assert.Equal(KvCharges.Kept, known.Length);
        Assert.Contains(known, charge => charge.Worker == "busy");
        Assert.Contains(known, charge => charge.Worker == $"w{(2 * KvCharges.Kept) - 1}");
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void What_is_no_total_charges_nothing(double total) =>
        Assert.Equal(0, KvCharges.Take([], new KvCharge("w", 1, total)).ByteSeconds);
}
