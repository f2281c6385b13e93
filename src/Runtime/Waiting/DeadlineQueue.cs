using Concertina.Runtime.Calls;

namespace Concertina.Runtime.Waiting;

/// <summary>
/// Response timeouts of many calls with few timers: deadlines are rounded up to <see cref="Granularity"/> and kept in
/// buckets, so a call costs two constant-time list operations and no timer. A deadline is never early, and late by at
/// most one granularity.
/// </summary>
internal sealed class DeadlineQueue : IDisposable
{
    internal static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(50);

    private const int StripeCount = 8;

    private readonly Stripe[] _stripes;

    internal DeadlineQueue(TimeProvider time)
    {
        _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new Stripe(time))];
    }

    /// <summary>Watches a call until it is removed or its time is over.</summary>
    internal void Add(GrainCall call, TimeSpan timeout)
    {
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            Stripe stripe = _stripes[Environment.CurrentManagedThreadId % StripeCount];
            stripe.Add(call, timeout);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Stripe stripe in _stripes)
        {
            stripe.Dispose();
        }
    }

    /// <summary>One watched call in its bucket.</summary>
    internal sealed class Entry(Stripe stripe, Bucket bucket, GrainCall call)
    {
        internal GrainCall Call { get; } = call;

        internal Entry? Next { get; set; }

        internal Entry? Previous { get; set; }

        internal bool Linked { get; set; }

        internal void Remove()
        {
            lock (stripe)
            {
                bucket.Unlink(this);
            }
        }
    }

    /// <summary>The calls whose deadlines round up to the same tick.</summary>
    internal sealed class Bucket
    {
        internal Entry? First { get; private set; }

        internal void Link(Entry entry)
        {
            entry.Linked = true;
            entry.Next = First;
            if (First is not null)
            {
                First.Previous = entry;
            }

            First = entry;
        }

        internal void Unlink(Entry entry)
        {
            if (!entry.Linked)
            {
                return;
            }

            entry.Linked = false;
            if (entry.Previous is null)
            {
                First = entry.Next;
            }
            else
            {
                entry.Previous.Next = entry.Next;
            }

            if (entry.Next is not null)
            {
                entry.Next.Previous = entry.Previous;
            }
        }
    }

    /// <summary>One lock, one timer, buckets by tick. Threads are spread over stripes.</summary>
    internal sealed class Stripe : IDisposable
    {
        private readonly Dictionary<long, Bucket> _buckets = [];
        private readonly TimeProvider _time;
        private readonly long _origin;
        private readonly ITimer _timer;
        private long _armedTick = long.MaxValue;

        internal Stripe(TimeProvider time)
        {
            _time = time;
            _origin = time.GetTimestamp();
            using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            _timer = time.CreateTimer(
                static state => ((Stripe)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        internal void Add(GrainCall call, TimeSpan timeout)
        {
            TimeSpan now = _time.GetElapsedTime(_origin);
            long tick = ((now + timeout).Ticks + Granularity.Ticks - 1) / Granularity.Ticks;
            lock (this)
            {
                if (!_buckets.TryGetValue(tick, out Bucket? bucket))
                {
                    bucket = new Bucket();
                    _buckets.Add(tick, bucket);
                    Arm(tick, now);
                }

                Entry entry = new(this, bucket, call);
                bucket.Link(entry);
                call.Deadline = entry;
            }
        }

        /// <inheritdoc/>
        public void Dispose() => _timer.Dispose();

        private void Arm(long tick, TimeSpan now)
        {
            if (tick < _armedTick)
            {
                _armedTick = tick;
                TimeSpan due = TimeSpan.FromTicks(tick * Granularity.Ticks) - now;
                _timer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }

        private void Fire()
        {
            List<GrainCall> late = [];
            lock (this)
            {
                TimeSpan now = _time.GetElapsedTime(_origin);
                long tick = now.Ticks / Granularity.Ticks;
                _armedTick = long.MaxValue;
                long next = long.MaxValue;
                foreach ((long due, Bucket bucket) in _buckets.ToArray())
                {
                    if (due <= tick || bucket.First is null)
                    {
                        Take(bucket, late);
                        _buckets.Remove(due);
                    }
                    else
                    {
                        next = Math.Min(next, due);
                    }
                }

                if (next != long.MaxValue)
                {
                    Arm(next, now);
                }
            }

            late.ForEach(static call => call.TimeOut());
        }

        private static void Take(Bucket bucket, List<GrainCall> late)
        {
            while (bucket.First is { } entry)
            {
                bucket.Unlink(entry);
                late.Add(entry.Call);
            }
        }
    }
}
